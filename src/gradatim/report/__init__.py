"""What a run found, as one self-contained web page; computes nothing."""
