"""Files in and out, only here. Imports base."""
