"""Networks: what images are made of, as torch Modules."""
