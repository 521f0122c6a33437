"""Size and shape of a mask: its surface, hull, boxes, ellipsoids and moments, and how its intensities lie in it."""
