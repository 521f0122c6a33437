"""Stimulation of nerves and other limits of people, estimated; never a clearance."""
