"""gradatim: quantitative imaging from the scanner's gradients to an answer."""
