"""Features of a window around every voxel, as maps."""
