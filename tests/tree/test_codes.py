"""Every error code means one thing, is used, and belongs to the class that carries it."""

import ast
import re
from collections.abc import Iterator

from gradatim.base import errors
from gradatim.base.codes import CODES
from tests.tree.source import CHECKOUT, Source, package_sources

CODE = re.compile(r"GD-\d{3}")
FAMILIES = {
    name: cls.families
    for name, cls in vars(errors).items()
    if isinstance(cls, type) and issubclass(cls, errors.GradatimError) and cls.families
}


def written(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Codes that stand as values in the code, not in its prose."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node, node.value


def in_the_wrong_class(source: Source) -> Iterator[str]:
    """Errors raised with a code of another class's family."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILIES and node.args:
            code = getattr(node.args[0], "value", None)
            if isinstance(code, str) and not code.startswith(FAMILIES[node.func.id]):
                yield source.at(node, f"{node.func.id} carries {code}; its codes begin with {FAMILIES[node.func.id]}")


def unknown(source: Source) -> Iterator[str]:
    """Codes, in code or prose, that the table does not have."""
    for number, line in enumerate(source.text.split("\n"), 1):
        for code in CODE.findall(line):
            if code not in CODES:
                yield f"{source.path}:{number}: {code} is not in gradatim.base.codes"


def test_every_code_in_the_source_has_a_meaning() -> None:
    offences = [offence for source in package_sources() for offence in unknown(source)]
    assert not offences, "\n".join(offences)


def test_every_code_belongs_to_the_class_that_carries_it() -> None:
    offences = [offence for source in package_sources() for offence in in_the_wrong_class(source)]
    assert not offences, "\n".join(offences)


def test_every_code_is_used() -> None:
    used = {code for s in package_sources() if not s.path.endswith("base/codes.py") for _, code in written(s)}
    unused = sorted(CODES.keys() - used)
    assert not unused, f"codes that nothing gives: {', '.join(unused)}"


def test_codes_are_well_formed_sorted_within_their_hundred_and_explained() -> None:
    prefixes = tuple(prefix for family in FAMILIES.values() for prefix in family)
    assert [code for code in CODES if not CODE.fullmatch(code) or not code.startswith(prefixes)] == []
    assert list(CODES) == sorted(CODES)
    assert [code for code, meaning in CODES.items() if not meaning or meaning != meaning.strip(" .")] == []


def test_no_code_is_written_twice_in_the_table() -> None:
    text = (CHECKOUT / "src/gradatim/base/codes.py").read_text(encoding="utf-8")
    keys = re.findall(r'^\s*"(GD-\d{3})":', text, re.MULTILINE)
    assert sorted(keys) == sorted(set(keys))


def test_a_wrong_class_and_an_unknown_code_are_caught() -> None:
    source = Source("src/gradatim/qsm/a.py", 'x = 1\nraise InputError("GD-' + '101", given=g)\n# GD-' + "999")
    assert [offence.split(": ")[0] for offence in in_the_wrong_class(source)] == ["src/gradatim/qsm/a.py:2"]
    assert [offence.split(": ")[0] for offence in unknown(source)] == ["src/gradatim/qsm/a.py:3"]
