"""Features that can be differentiated, and what noise does to them."""
