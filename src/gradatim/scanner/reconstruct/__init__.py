"""Images from raw samples."""
