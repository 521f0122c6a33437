"""The drawing of a limit over the matrix size."""

from gradatim.report.resolution_plot import ResolutionPlot

MATRICES = [32.0, 64.0, 96.0, 128.0]


def drawn() -> str:
    figure = ResolutionPlot("echo spacing, µs", 220.0)(
        MATRICES,
        values=[1.0, 2.0, 3.0, 4.0],
        binding=["slew", "slew", "amplitude", "slew"],
        others={"twice the gradient": [1.0, 2.0, 2.9, 3.8]},
        at=(64, 2.0),
    )
    assert "echo spacing" in figure.alt
    return figure.data.decode()


def test_what_binds_is_named_once_with_the_pixels_above() -> None:
    text = drawn()
    assert text.count("slew-bound") == text.count("amplitude-bound") == 1
    assert "stimulation-bound" not in text
    assert "twice the gradient" in text
    assert "pixel (mm)" in text


def test_the_same_data_give_the_same_bytes() -> None:
    assert drawn() == drawn()


def test_a_single_matrix_is_drawn() -> None:
    figure = ResolutionPlot("ms", 220.0)([1.0], values=[1.0], binding=["dead time"], others={}, at=(1, 1.0))
    assert "dead time-bound" in figure.data.decode()
