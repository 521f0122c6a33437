"""JSON that two programs could read in two ways is refused, with line and column."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import InputError
from gradatim.io.sidecar import MAX_DEPTH, parse_sidecar, read_sidecar, write_sidecar

REFUSED = {
    "trailing comma": ('{"a": 1,\n}', "line 2, column 1"),
    "trailing comma in a list": ('{"a": [1,]}', "line 1, column"),
    "name twice": ('{"a": 1,\n "a": 1}', "line 2, column 2"),
    "name twice, one escaped": ('{"a": 1, "\\u0061": 2}', "line 1, column 10"),
    "name twice, inside": ('{"x": {"a": 1,\n\n  "a": 1}}', "line 3, column 3"),
    "NaN": ('{"a": NaN}', "line 1, column 7"),
    "Infinity": ('{"a":\n-Infinity}', "line 2, column 1"),
    "beyond double": ('{"a": 1e999}', "line 1, column 7"),
    "beyond double, whole": ('{"a": ' + "9" * 500 + "}", "line 1, column 7"),
    "byte order mark": ("\ufeff{}", "line 1, column 1"),
    "deep list": ('{"a": ' + "[" * 100_000, f"line 1, column {6 + MAX_DEPTH}"),
    "deep object": ('{"a":' * 100_000, "line 1, column"),
    "cut": ('{"a": 0.01,', "line 1, column 12"),
    "cut in a string": ('{"a', "line 1, column 2"),
    "single quotes": ("{'a': 1}", "line 1, column 2"),
    "comment": ('{"a": 1} // s', "line 1, column 10"),
    "two objects": ("{}\n{}", "line 2, column 1"),
    "a list at the top": ("[1]", "line 1, column 1"),
    "nothing": ("", "line 1, column 1"),
    "leading zero": ('{"a": 01}', "line 1, column 8"),
    "lone surrogate": ('{"a": "\\ud800"}', "line 1, column 7"),
    "raw newline in a string": ('{"a": "x\ny"}', "line 1, column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_place(name: str) -> None:
    text, place = REFUSED[name]
    with pytest.raises(InputError) as caught:
        parse_sidecar(text, name="a.json")
    assert caught.value.code == "GD-221"
    assert f"a.json, {place}" in caught.value.given


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a":\n "\xff"}')
    with pytest.raises(InputError) as caught:
        read_sidecar(tmp_path / "a.json")
    assert "line 2, column 3" in caught.value.given


def test_a_sidecar_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 34)  # sparse
    with pytest.raises(InputError) as caught:
        read_sidecar(tmp_path / "a.json")
    assert caught.value.code == "GD-221"


def test_equal_names_in_different_objects_and_as_values_are_fine() -> None:
    text = '{"a": {"b": 1}, "c": {"b": "b"}, "d": ["a", "a", "{", "\\"}"]}'
    assert parse_sidecar(text, name="a.json")["c"] == {"b": "b"}


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(texts, plain, max_size=4))
def test_what_is_written_reads_back(tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]) -> None:
    path = tmp_path_factory.getbasetemp() / "sidecar.json"
    write_sidecar(path, content)
    assert read_sidecar(path) == content


@given(st.text(alphabet='{}[]:,"\\ \n0123456789.eE+-aNIntrufls/', max_size=40))
def test_any_text_is_an_object_or_refused(text: str) -> None:
    try:
        value = parse_sidecar(text, name="a.json")
    except InputError as error:
        code = error.code
    else:
        code = "GD-221"
        assert isinstance(value, dict)
    assert code == "GD-221"


def test_numbers_that_json_does_not_have_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_sidecar(tmp_path / "a.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []
