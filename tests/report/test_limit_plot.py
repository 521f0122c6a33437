"""The drawing of a limit over gradient and slew rate."""

import pytest

from gradatim.report.limit_plot import LimitPlot

AXIS = [float(10 + index) for index in range(9)]


def drawn(values: list[list[float]], *, bound: bool) -> str:
    figure = LimitPlot("echo spacing, µs")(AXIS, AXIS, values=values, slew_bound=[[bound] * 9] * 9, at=(12.0, 14.0))
    assert "echo spacing" in figure.alt
    return figure.data.decode()


@pytest.mark.parametrize("bound", [True, False])
def test_the_region_is_named_where_there_is_one(*, bound: bool) -> None:
    text = drawn([[1000 / (x + y) for x in AXIS] for y in AXIS], bound=bound)
    assert ("more gradient gives nothing" in text) is bound
    assert "echo spacing, µs" in text


def test_an_answer_that_is_the_same_everywhere_is_said() -> None:
    assert "5 everywhere" in drawn([[5.0] * 9] * 9, bound=False)


def test_the_same_data_give_the_same_bytes() -> None:
    values = [[1000 / (x + y) for x in AXIS] for y in AXIS]
    assert drawn(values, bound=True) == drawn(values, bound=True)
