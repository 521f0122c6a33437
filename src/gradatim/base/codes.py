"""The meaning of every error and finding code. One line a code; a code is never reused."""

CODES: dict[str, str] = {
    # GD-1xx: settings, names and values a caller chose
    "GD-101": "a parameter lies outside its allowed range",
    "GD-102": "an unknown name; the nearest known one is suggested",
    "GD-103": "tensors or grids that must agree do not",
    "GD-104": "two inputs that must be given together, or exclude each other",
    # GD-5xx: the machine
    "GD-501": "an optional part is not installed",
    # GD-6xx: the chain's numbers
    "GD-601": "the mask is empty",
    "GD-602": "the mask fills the whole image",
    "GD-603": "non-finite values inside the mask",
    "GD-604": "too few echoes for what was asked",
}
