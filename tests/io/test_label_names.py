"""Names of labels: what is written is read, and what is no such table is refused."""

from pathlib import Path

import pytest

from gradatim.base.errors import InputError
from gradatim.io.label_names import read_label_names, write_label_names


def test_names_come_back_in_any_script(tmp_path: Path) -> None:
    names = {3: "丘脑", 1: "left\tputamen\n", 300: "=1+1"}
    write_label_names(tmp_path / "a.tsv", names)
    assert read_label_names(tmp_path / "a.tsv") == {1: "left putamen", 3: "丘脑", 300: "=1+1"}


def test_other_columns_and_a_mark_at_the_start_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes("\ufeffname\tcolor\tindex\r\nvein\t#ff0000\t11\r\n".encode())
    assert read_label_names(tmp_path / "a.tsv") == {11: "vein"}


@pytest.mark.parametrize("content", [b"", b"index\n1\n", b"index\tname\nx\ty\n", b"index\tname\n1\n", b"\xff\xfe"])
def test_what_is_no_table_of_names_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tsv").write_bytes(content)
    with pytest.raises(InputError, match="GD-250"):
        read_label_names(tmp_path / "a.tsv")


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GD-222"):
        read_label_names(tmp_path / "a.tsv")
