"""The ground floor: grid, units, the six nouns, errors, seeds. Imports nothing else of gradatim."""
