"""Priors, methods, stopping rules, solutions. Imports base and linop."""
