"""Why two settings give two numbers: what differs in words, step by step on an image, and feature by feature."""
