"""The command line: one frozen dataclass a command. Nothing imports it."""
