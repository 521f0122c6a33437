"""The package's files as the house rules see them: path, text and syntax tree, read once."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "src" / "gradatim"


@dataclass(frozen=True)
class Source:
    """One Python file.

    Args:
        path: from the checkout on, e.g. ``"src/gradatim/base/grid.py"``.
        text: its content.
    """

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        """Its path below the package, e.g. ``("base", "grid")``."""
        return Path(self.path).with_suffix("").parts[2:]

    @property
    def floor(self) -> str:
        """The floor or slice it belongs to; empty for the package's own ``__init__``."""
        return self.parts[0] if len(self.parts) > 1 else ""

    @property
    def is_package(self) -> bool:
        """Whether it is an ``__init__``."""
        return self.parts[-1] == "__init__"

    def at(self, node: ast.AST, what: str) -> str:
        """An offence, as editors and people read it: ``path:line: what``."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


Rule = Callable[[Source], Iterator[str]]
"""A house rule: the offences of one file."""


@cache
def package_sources() -> tuple[Source, ...]:
    """Every Python file of the package."""
    return tuple(
        Source(str(path.relative_to(CHECKOUT)), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def is_leaf(module: str) -> bool:
    """Whether a dotted name is one of our module files, not a folder."""
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py").is_file()
