"""The public list is the truth: every name is there, is what it says, explains itself, and has its type."""

import inspect
import re

import pytest

import gradatim as gd
from tests.tree.source import PACKAGE


@pytest.mark.parametrize("name", [name for name in gd.__all__ if not name.startswith("__")])
def test_a_public_name_is_there_and_explains_itself(name: str) -> None:
    found = getattr(gd, name)
    assert inspect.getdoc(found)
    assert (found.__name__.split(".")[-1]) == name
    assert (
        found.__name__.startswith("gradatim.") if inspect.ismodule(found) else found.__module__.startswith("gradatim.")
    )


def test_the_list_the_directory_and_the_stub_agree() -> None:
    stub = (PACKAGE / "__init__.pyi").read_text(encoding="utf-8")
    typed = [
        (home, name) for home, name in re.findall(r"^from gradatim\.(\S+) import \w+ as (\w+)$", stub, re.MULTILINE)
    ]
    table = [tuple(place.split(":")) if ":" in place else tuple(place.rsplit(".", 1)) for place in gd._HOMES.values()]
    assert sorted(gd.__all__) == dir(gd)
    assert sorted(typed) == sorted(table)


def test_an_unknown_name_fails_and_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no public name 'Gird'; it has .*Grid"):
        gd.Gird  # noqa: B018
