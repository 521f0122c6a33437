"""Who may import whom: floors stand on floors, slices never see one another."""

import ast
from collections.abc import Iterator

from tests.tree.source import Source, is_leaf

FLOORS = ("base", "linop", "solve", "nets")
"""From the ground up; each imports those below it."""

SLICES = ("scanner", "qsm", "relaxation", "diffusion", "restore", "segment", "radiomics", "cohort", "transport")

MAY_IMPORT = {
    **{floor: {*FLOORS[:height]} for height, floor in enumerate(FLOORS)},
    **{each: {*FLOORS} for each in SLICES},
    "io": {"base"},
    "pipelines": {*FLOORS, *SLICES, "io"},
    "report": {"base", "io", "pipelines"},
    "cli": {*FLOORS, *SLICES, "io", "pipelines", "report"},
    "": set(),
}
"""Floor → what it may import besides itself."""

DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "shared", "stuff"}


def imports(source: Source) -> Iterator[tuple[ast.AST, str, tuple[str, ...]]]:
    """Every import of our own: the node, the dotted module, the names taken from it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, ()) for alias in node.names if alias.name.split(".")[0] == "gradatim")
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if node.level or module.split(".")[0] == "gradatim":
                yield node, module, tuple(alias.name for alias in node.names)


def floors_stand_in_order(source: Source) -> Iterator[str]:
    """A file imports its own floor and those its floor may see."""
    if source.floor not in MAY_IMPORT:
        yield source.at(
            source.tree, f"{source.floor!r} is no floor of the house; a new one needs a page in docs/design"
        )
        return
    for node, module, names in imports(source):
        targets = [module] if module != "gradatim" else [f"gradatim.{name}" for name in names]
        for target in targets:
            other = target.split(".")[1] if "." in target.strip(".") else ""
            if other != source.floor and other not in MAY_IMPORT[source.floor]:
                yield source.at(node, f"{source.floor or 'the public list'} may not import {target}")


def imports_name_leaf_modules(source: Source) -> Iterator[str]:
    """Imports are absolute and name a module file, never a package."""
    for node, module, names in imports(source):
        if module.startswith("."):
            yield source.at(node, "a relative import; write the whole name")
        elif not is_leaf(module) and not (names and all(is_leaf(f"{module}.{name}") for name in names)):
            yield source.at(node, f"{module} is not a module file; name the one that defines what you need")


def folders_hold_only_a_sentence(source: Source) -> Iterator[str]:
    """A folder's ``__init__`` is a docstring; only the package's own holds the public list."""
    if source.is_package and source.floor:
        yield from (source.at(node, "code in a folder's __init__") for node in source.tree.body[1:])


def no_drawers(source: Source) -> Iterator[str]:
    """No file or folder whose name says nothing."""
    for part in source.parts:
        if part.strip("_") in DRAWERS:
            yield source.at(source.tree, f"{part!r} names no idea; name the file after what it holds")


FLOOR_RULES = (floors_stand_in_order, imports_name_leaf_modules, folders_hold_only_a_sentence, no_drawers)
