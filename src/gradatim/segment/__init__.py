"""Regions from a map, found in the map itself."""
