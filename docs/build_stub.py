"""Writes the type stub of the public list from its table; `make docs` runs it, a test compares."""

from pathlib import Path

import gradatim

STUB = Path(gradatim.__file__).with_suffix(".pyi")

HEAD = '''"""The public list as type checkers and editors read it; made by docs/build_stub.py from __init__.py."""'''


def stub() -> str:
    """The whole stub, sorted as the linter sorts imports: by module, classes before functions."""
    names = sorted(gradatim._HOMES.items(), key=lambda entry: (entry[1], entry[0].islower(), entry[0]))
    lines = [f"from gradatim.{home} import {name} as {name}" for name, home in names]
    return "\n".join([HEAD, "", *lines, "", "__version__: str", ""])


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
