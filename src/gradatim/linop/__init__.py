"""Linear maps with exact adjoints. Imports base only."""
