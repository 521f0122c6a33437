"""The public list is the truth: every name is there, explains itself, and has its type."""

import inspect

import pytest

import gradatim as gd
from docs.build_stub import STUB, stub


@pytest.mark.parametrize("name", [name for name in gd.__all__ if name != "__version__"])
def test_a_public_name_is_there_and_explains_itself(name: str) -> None:
    found = getattr(gd, name)
    assert inspect.getdoc(found)
    assert (found.__module__, found.__name__) == (f"gradatim.{gd._HOMES[name]}", name)


def test_the_list_the_directory_and_the_stub_agree() -> None:
    assert sorted(gd.__all__) == dir(gd)
    assert STUB.read_text(encoding="utf-8") == stub(), "run `make docs`"


def test_an_unknown_name_fails_and_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no public name 'Gird'; it has .*Grid"):
        gd.Gird  # noqa: B018
