"""The page of features is the catalogue, word for word."""

from docs.build_features import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
