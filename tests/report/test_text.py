"""Nothing invisible reaches a reader; letters of every script do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.report.text import number, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J"),
        ("scan\u202egnp.exe", r"scan\u202egnp.exe"),
        ("\u2066a\u2069\u200f\ufeff\u200b", r"\u2066a\u2069\u200f\ufeff\u200b"),
        ("a\u2028b\u2029c\x85d\x00", r"a\u2028b\u2029c\x85d\x00"),
        (b"sub-\xc0\xee".decode("utf-8", "surrogateescape"), r"sub-\udcc0\udcee"),
        ("a\U000e0041b", r"a\U000e0041b"),
        ("尾状核 جسم مخطط גרעין काय naïve 👩\u200d🔬", "尾状核 جسم مخطط גרעין काय naïve 👩\u200d🔬"),
    ],
)
def test_hidden_characters_are_written_out_and_letters_kept(text, shown):
    assert visible(text) == shown


@given(st.text())
def test_any_text_can_be_saved_and_is_written_out_once(text):
    once = visible(text)
    assert once.encode("utf-8").decode("utf-8") == once
    assert visible(once) == once


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.0, 4, "0"),
        (-0.012345, 3, "-0.0123"),
        (12345.6, 3, "12346"),
        (3.14159, 4, "3.142"),
        (float("inf"), 4, "infinite"),
        (float("-inf"), 4, "-infinite"),
        (553352, 2, "553352"),
    ],
)
def test_numbers_have_the_stated_digits(value, digits, shown):
    assert number(value, digits) == shown
