"""Writes the type stub of the public list from its table; `make docs` runs it, a test compares."""

from pathlib import Path

import gradatim

STUB = Path(gradatim.__file__).with_suffix(".pyi")

WIDTH = 120
"""Of a line, as the formatter counts."""

HEAD = '''"""The public list as type checkers and editors read it; made by docs/build_stub.py from __init__.py."""'''


def stub() -> str:
    """The whole stub, sorted as the linter sorts imports: by module, capitals before classes before functions."""
    names = sorted(gradatim._HOMES.items(), key=lambda entry: (entry[1], _kind(entry[0]), entry[0].lower()))
    lines = [_line(name, home) for name, home in names]
    return "\n".join([HEAD, "", *lines, "", "__version__: str", ""])


def _kind(name: str) -> int:
    return 0 if name.isupper() else 2 if name.islower() else 1


def _line(name: str, home: str) -> str:
    """An import, over three lines where one would be too long."""
    line = f"from gradatim.{home} import {name} as {name}"
    return line if len(line) <= WIDTH else f"from gradatim.{home} import (\n    {name} as {name},\n)"


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
