"""The anatomy of a simulated head, as formulas: nothing here was measured on anybody."""
