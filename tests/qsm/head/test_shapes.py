import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.qsm.head.canvas import Canvas
from gradatim.qsm.head.folding import RandomField
from gradatim.qsm.head.shapes import blend, ellipsoid, fraction_in_thin_tube, fraction_inside, tube, union, without
from gradatim.qsm.head.tissue import Tissue


def _points(size=40, step=1.0):
    axis = (torch.arange(size, dtype=torch.float32) - (size - 1) / 2) * step
    return torch.meshgrid(axis, axis, axis, indexing="ij")


@pytest.mark.parametrize("step", [1.0, 0.7])
def test_soft_ellipsoid_has_its_volume(step):
    semi = (9.0, 11.0, 7.0)
    fraction = fraction_inside(ellipsoid(_points(step=step), (0.3, -0.2, 0.4), semi, turn=0.5), step)
    volume = 4 / 3 * torch.pi * semi[0] * semi[1] * semi[2]
    assert float(fraction.sum()) * step**3 == pytest.approx(volume, rel=0.01)


def test_ellipsoid_distance_is_exact_for_a_sphere_and_signed():
    x, y, z = _points()
    r = torch.sqrt(x * x + y * y + z * z)
    torch.testing.assert_close(ellipsoid((x, y, z), (0.0, 0.0, 0.0), (8.0, 8.0, 8.0)), r - 8.0, rtol=0, atol=1e-4)


def test_ellipsoid_is_solid_at_its_very_centre():
    zero = torch.zeros(1)
    assert float(ellipsoid((zero, zero, zero), (0.0, 0.0, 0.0), (3.0, 4.0, 5.0))) == pytest.approx(-3.0, rel=0.01)


@pytest.mark.parametrize("radius", [0.2, 0.5, 0.8, 2.0])
@pytest.mark.parametrize("end", [(13.0, 0.0, 0.0), (8.0, 7.0, -9.0)])
def test_tube_has_its_volume_even_when_thinner_than_a_voxel(radius, end):
    start = tuple(-e + 0.3 for e in end)
    path = [(*start, radius), (*end, radius)]
    length = sum((e - s) ** 2 for s, e in zip(start, end, strict=True)) ** 0.5
    filled = float(fraction_in_thin_tube(_points(), path, 1.0).sum())
    drawn = max(radius, 0.5)
    caps = 4 / 3 * drawn * (radius / drawn) ** 2  # the round ends, as long as the drawn radius
    assert filled == pytest.approx(
        torch.pi * radius**2 * length + torch.pi * radius**2 * caps, rel=0.1
    )  # a line along an axis is sampled in one phase only


def test_combinations_keep_signs():
    p = _points(16)
    a, b = ellipsoid(p, (-2.0, 0.0, 0.0), (4.0, 4.0, 4.0)), tube(p, [(0.0, 0.0, 0.0, 3.0), (5.0, 0.0, 0.0, 3.0)])
    assert bool(((union(a, b) < 0) == ((a < 0) | (b < 0))).all())
    assert bool(((without(a, b) < 0) == ((a < 0) & (b > 0))).all())
    assert bool((blend(a, b, 2.0) <= union(a, b)).all())


def test_random_field_has_unit_variance_and_is_a_formula():
    field = RandomField.draw(6.0, generator=torch.Generator().manual_seed(0))
    values = field(_points(60))
    assert float(values.std()) == pytest.approx(1.0, abs=0.1)
    x, y, z = _points(60)
    torch.testing.assert_close(field((x[::2], y[::2], z[::2])), values[::2])


def test_parts_of_a_voxel_always_sum_to_one():
    """Painting anything of value 1 over a canvas of value 1, in any order and fraction, leaves exactly 1."""
    canvas = Canvas.of_air(Grid((8, 8, 8), (1.0, 1.0, 1.0)), scale=1.0, origin=(0.0, 0.0, 0.0))
    random = torch.Generator().manual_seed(0)
    one = Tissue(1.0, 1.0, 1.0)
    canvas.paint(torch.ones(8, 8, 8), one)
    for _ in range(20):
        canvas.paint(torch.rand(8, 8, 8, generator=random), one)
    for values in (canvas.susceptibility, canvas.r2_star, canvas.proton_density):
        assert bool((values == 1.0).all())


def test_part_of_a_canvas_paints_the_canvas():
    canvas = Canvas.of_air(Grid((40, 40, 40), (1.0, 1.0, 1.0)), scale=1.0, origin=(0.0, 0.0, 0.0))
    part = canvas.around((-3.0, -2.0, 0.0), (3.0, 4.0, 1.0))
    assert float(part.points[1].min()) == pytest.approx(-10.5)
    part.paint(torch.ones(part.labels.shape), Tissue(0.5, 1.0, 1.0), label=7)
    assert int((canvas.labels == 7).sum()) == part.labels.numel() < canvas.labels.numel()
