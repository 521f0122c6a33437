"""Filters of the IBSI: from an image to its response, voxel by voxel."""
