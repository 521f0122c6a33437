"""Diffusion between reflecting walls: what a pair of gradient pulses sees of planes, cylinders and spheres."""
