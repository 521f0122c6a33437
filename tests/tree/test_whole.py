"""Rules that only the package as a whole can keep: the size of base, final classes, bool flags, folders."""

import ast
from collections.abc import Sequence

from tests.tree.floors import MAY_IMPORT
from tests.tree.shapes import classes, is_abstract
from tests.tree.source import CHECKOUT, PACKAGE, Source, package_sources

ROOTS_THAT_MAY_BE_REFINED = {"GradatimError"}
"""The error tree is drawn in its module; its classes only name the exit code."""


def inherits_from_concrete(sources: Sequence[Source]) -> list[str]:
    """Classes that stand on a class of ours which is not abstract."""
    ours = {cls.name: cls for source in sources for cls in classes(source)}
    offences = []
    for source in sources:
        for cls in classes(source):
            for base in cls.bases:
                parent = ast.unparse(base).split("[")[0].split(".")[-1]
                if parent in ours and parent not in ROOTS_THAT_MAY_BE_REFINED and not is_abstract(ours[parent]):
                    offences.append(source.at(cls, f"{cls.name} refines {parent}, which is not abstract"))
    return offences


def test_base_stays_under_a_tenth_of_the_package() -> None:
    lines = {source.path: source.text.count("\n") for source in package_sources()}
    base = sum(count for path, count in lines.items() if "/base/" in path)
    assert base < sum(lines.values()) / 10, f"base has {base} of {sum(lines.values())} lines"


def test_a_class_is_abstract_or_final() -> None:
    offences = inherits_from_concrete(package_sources())
    assert not offences, "\n".join(offences)


def test_a_refined_concrete_class_is_caught() -> None:
    text = "class A: ...\nclass B(A): ...\nclass C(ABC): ...\nclass D(C): ..."
    (offence,) = inherits_from_concrete([Source("src/gradatim/qsm/a.py", text)])
    assert offence.startswith("src/gradatim/qsm/a.py:2: B refines A")


def test_every_folder_is_a_floor_of_the_house() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= MAY_IMPORT.keys()


def test_every_folder_says_what_it_is_for() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(folder.relative_to(CHECKOUT)) for folder in folders if not (folder / "__init__.py").is_file()] == []
