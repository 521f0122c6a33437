"""Laws of the Poisson EM, which peers' wrapped adjoints break: flux, likelihood, a bead that stays, borders."""

import itertools

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.restore.microscopy.accelerated_richardson_lucy import AcceleratedRichardsonLucy
from gradatim.restore.microscopy.em_sweeps import EmSweeps
from gradatim.restore.microscopy.field_blur import Border, FieldBlur
from gradatim.restore.microscopy.field_transforms import SlabTransforms, WholeTransforms
from gradatim.restore.microscopy.photon_counts import PhotonCounts
from gradatim.restore.microscopy.richardson_lucy import RichardsonLucy
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import Discrepancy, IterationBound

METHODS = [RichardsonLucy, AcceleratedRichardsonLucy]
SIZES = [((5, 4), (12, 13)), ((3, 5, 4), (9, 8, 7)), ((4, 3, 3), (8, 11, 6))]


def random(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def asymmetric(shape: tuple[int, ...]) -> Tensor:
    psf = random(*shape, seed=2) ** 3
    return psf / psf.sum()


def gaussian(size: int, width: float, axes: int = 3) -> Tensor:
    line = torch.exp(-0.5 * ((torch.arange(size, dtype=torch.float64) - size // 2) / width) ** 2)
    psf = line
    for _ in range(axes - 1):
        psf = psf[..., None] * line
    return psf / psf.sum()


def counts_for(image: Tensor, psf: Tensor, **options: object) -> EmSweeps:
    return EmSweeps(PhotonCounts.of(image, psf, **options))


@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_the_step_is_the_formula(kernel: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Against the formula written with the operator's own adjoint, masked and with a background."""
    psf, image = asymmetric(kernel), 10 * random(*shape)
    mask, background = random(*shape, seed=3) > 0.2, random(*shape, seed=4)
    sweeps = counts_for(image, psf, background=background, mask=mask)
    blur = FieldBlur.open(psf, shape)
    x, out = random(*blur.support, seed=5) + 0.1, torch.empty(blur.support, dtype=torch.float64)
    weights = mask.double()
    means = blur.apply(x) + background
    sensitivity = blur.adjoint(weights)
    expected = torch.where(
        sensitivity > 1e-4 * sensitivity.max(), x * blur.adjoint(weights * image / means) / sensitivity, 0.0
    )
    first = sweeps.compare(x)
    second, change = sweeps.step(x, out)
    torch.testing.assert_close(out, expected, rtol=1e-11, atol=1e-13)

    def deviance(m: Tensor) -> float:
        return 2 * float((weights * (torch.xlogy(image, image / m) - image + m)).sum())

    assert first.deviance == pytest.approx(deviance(means), rel=1e-10)
    assert second.deviance == pytest.approx(deviance(blur.apply(expected) + background), rel=1e-10)
    assert change == pytest.approx(float((expected - x).norm() / expected.norm()), rel=1e-10)


@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_slabs_and_whole_tensors_agree(
    monkeypatch: pytest.MonkeyPatch, kernel: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    """The path of other devices gives what the CPU's gives."""
    image, psf = 10 * random(*shape), asymmetric(kernel)
    slabs = RichardsonLucy(IterationBound(4))(image, psf=psf)
    monkeypatch.setattr(
        "gradatim.restore.microscopy.em_sweeps.transforms_for", lambda support, like: WholeTransforms(support)
    )
    whole = RichardsonLucy(IterationBound(4))(image, psf=psf)
    torch.testing.assert_close(slabs.value, whole.value, rtol=1e-10, atol=1e-12)
    assert [p.objective for p in slabs.history] == pytest.approx([p.objective for p in whole.history], rel=1e-9)


def test_many_slabs_and_threads_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    image, psf = 10 * random(13, 12, 11), asymmetric((3, 5, 4))
    one = RichardsonLucy(IterationBound(3))(image, psf=psf).value
    monkeypatch.setattr("gradatim.restore.microscopy.field_transforms.SLAB_ELEMENTS", 200)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        many = RichardsonLucy(IterationBound(3))(image, psf=psf).value
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(many, one, rtol=1e-12, atol=0)
    assert isinstance(SlabTransforms((4, 4), torch.float32), SlabTransforms)


@pytest.mark.parametrize("border", list(Border))
@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_light_is_kept_in_every_step(kernel: tuple[int, ...], shape: tuple[int, ...], border: Border) -> None:
    image = 10 * random(*shape)
    counts = PhotonCounts.of(image, asymmetric(kernel), border=border)
    sweeps = EmSweeps(counts)
    x = sweeps.first(None)
    sensitivity = counts.blur.adjoint(torch.ones_like(image))
    sweeps.compare(x)
    for _ in range(5):
        out = torch.empty_like(x)
        sweeps.step(x, out)
        x = out
        assert float((sensitivity * x).sum()) == pytest.approx(float(image.sum()), rel=1e-12)
        assert float(x.min()) >= 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_the_data_never_become_less_likely(method, kernel: tuple[int, ...], shape: tuple[int, ...]) -> None:
    image = torch.poisson(20 * random(*shape), generator=torch.Generator().manual_seed(6))
    mask = random(*shape, seed=7) > 0.1
    found = method(IterationBound(60))(image, psf=asymmetric(kernel), background=0.5, mask=mask)
    deviances = [p.objective for p in found.history]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(deviances))
    assert float(found.value.min()) >= 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "kernel"), [(21, 9), (20, 9), (21, 8), (20, 8)])
def test_a_symmetric_psf_does_not_move_a_bead(method, size: int, kernel: int) -> None:
    """To a thousandth of a voxel after 5, 20 and 60 iterations; wrapped adjoints move it by up to 0.66."""
    psf = gaussian(kernel, 1.5)
    if kernel % 2 == 0:  # an even array is symmetric about n // 2 only without its first plane
        for axis in range(3):
            psf.narrow(axis, 0, 1).zero_()
    middle = size // 2
    bead = torch.zeros(size, size, size, dtype=torch.float64)
    bead[middle, middle, middle] = 1e4
    image = FieldBlur.periodic(psf / psf.sum(), (size,) * 3).apply(bead).clamp_min(0)
    places = torch.arange(size, dtype=torch.float64)
    for iterations in (5, 20, 60):
        x = method(IterationBound(iterations))(image.float(), psf=psf.float()).value.double()
        for axis in range(3):
            profile = x.sum(dim=[a for a in range(3) if a != axis])
            assert abs(float((profile * places).sum() / profile.sum()) - middle) < 1e-3


def test_an_asymmetric_psf_is_undone_where_it_stands() -> None:
    psf = asymmetric((5, 4, 3))
    bead = torch.zeros(15, 14, 13, dtype=torch.float64)
    bead[6, 7, 5] = 1e4
    image = FieldBlur.periodic(psf, (15, 14, 13)).apply(bead).clamp_min(0)
    x = RichardsonLucy(IterationBound(200))(image, psf=psf).value
    assert float(x[6, 7, 5]) > 0.97e4
    assert float(x.sum()) == pytest.approx(1e4, rel=1e-3)


def test_a_flat_image_stays_flat_up_to_the_border() -> None:
    x = RichardsonLucy(IterationBound(30))(torch.full((12, 13, 9), 7.0), psf=gaussian(5, 1.0).float()).value
    torch.testing.assert_close(x, torch.full_like(x, 7.0), rtol=1e-3, atol=0)


def test_light_from_outside_is_not_put_inside() -> None:
    """A bright object just outside the field shines in; an open border explains it there, a dark one cannot."""
    psf, whole = gaussian(9, 1.5, axes=2), torch.full((40, 40), 10.0, dtype=torch.float64)
    whole[:4] = 200.0
    blur = FieldBlur.open(psf, (32, 32))
    seen, truth = blur.apply(whole), whole[blur.window]
    errors = {
        border: float((RichardsonLucy(IterationBound(200), border)(seen, psf=psf).value - truth).norm() / truth.norm())
        for border in (Border.OPEN, Border.DARK)
    }
    assert errors[Border.OPEN] < 0.35 * errors[Border.DARK]


def test_masked_data_do_not_matter() -> None:
    image, psf = 10 * random(12, 12), gaussian(5, 1.0, axes=2)
    mask = torch.ones(12, 12, dtype=torch.bool)
    mask[4:6, 7] = False
    spoiled = image.clone()
    spoiled[4:6, 7] = float("nan")
    a, b = (RichardsonLucy(IterationBound(10))(each, psf=psf, mask=mask).value for each in (image, spoiled))
    assert torch.equal(a, b)


def test_a_known_background_is_not_put_into_the_object() -> None:
    psf, bead = gaussian(7, 1.2, axes=2), torch.zeros(24, 24, dtype=torch.float64)
    bead[12, 12] = 1000.0
    image = FieldBlur.periodic(psf, (24, 24)).apply(bead).clamp_min(0) + 5.0
    x = RichardsonLucy(IterationBound(300))(image, psf=psf, background=5.0).value
    assert float(x.sum()) == pytest.approx(1000.0, rel=2e-2)
    assert float(x[10:15, 10:15].sum()) == pytest.approx(1000.0, rel=1e-2)


def test_the_scale_of_the_psf_does_not_matter() -> None:
    image, psf = 10 * random(10, 9), asymmetric((3, 4))
    a = RichardsonLucy(IterationBound(5))(image, psf=psf).value
    torch.testing.assert_close(RichardsonLucy(IterationBound(5))(image, psf=5e5 * psf).value, a)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.3, 3.0, 300.0])
def test_the_default_rule_stops_at_the_noise(method, level: float) -> None:
    """At any count; the object stopped at is nearer to the truth than one iterated on to twenty times as many."""
    psf = gaussian(7, 1.5, axes=2)
    truth = level * (1 + 2 * random(9, 9).repeat_interleave(8, 0).repeat_interleave(8, 1))
    means = FieldBlur.periodic(psf, (72, 72)).apply(truth)
    image = torch.poisson(means, generator=torch.Generator().manual_seed(8))
    found = method(IterationBound(2000) | Discrepancy(), Border.PERIODIC)(image, psf=psf)
    assert found.reason is Stop.DISCREPANCY
    assert found.history[-1].misfit <= 1.0
    later = method(IterationBound(20 * found.iterations), Border.PERIODIC)(image, psf=psf)
    assert float((found.value - truth).norm()) < float((later.value - truth).norm())


def test_acceleration_needs_fewer_iterations_for_the_same_deviance() -> None:
    psf = gaussian(9, 2.0, axes=2)
    means = FieldBlur.periodic(psf, (48, 48)).apply(100 * (random(48, 48) > 0.97).double()) + 1.0
    image = torch.poisson(means, generator=torch.Generator().manual_seed(9))
    plain = RichardsonLucy(IterationBound(200))(image, psf=psf, background=1.0).history[-1].objective
    fast = [p.objective for p in AcceleratedRichardsonLucy(IterationBound(200))(image, psf=psf, background=1.0).history]
    assert next(i for i, objective in enumerate(fast, 1) if objective <= plain) < 60


def test_a_run_can_go_on_where_another_ended() -> None:
    image, psf = 10 * random(10, 9), asymmetric((3, 4))
    method = RichardsonLucy(IterationBound(5), Border.PERIODIC)
    half = method(image, psf=psf).value
    whole = RichardsonLucy(IterationBound(10), Border.PERIODIC)(image, psf=psf).value
    torch.testing.assert_close(method(image, psf=psf, start=half).value, whole, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"image": -torch.ones(8, 8)}, "GD-670"),
        ({"image": torch.full((8, 8), float("nan"))}, "GD-603"),
        ({"image": torch.ones(2, 8, 8)}, "GD-103"),
        ({"image": torch.ones(8)}, "GD-103"),
        ({"psf": torch.zeros(3, 3)}, "GD-671"),
        ({"psf": -torch.eye(3)}, "GD-671"),
        ({"psf": torch.full((3, 3), float("inf"))}, "GD-671"),
        ({"mask": torch.ones(3, 3, dtype=torch.bool)}, "GD-103"),
        ({"background": -1.0}, "GD-101"),
        ({"background": float("nan")}, "GD-101"),
        ({"start": torch.ones(3, 3)}, "GD-103"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_right_is_refused(method, change: dict, code: str) -> None:
    given = {"image": torch.ones(8, 8), "psf": torch.ones(3, 3), **change}
    with pytest.raises(GradatimError) as caught:
        method()(given.pop("image"), **given)
    assert caught.value.code == code


def test_an_image_without_light_stays_dark() -> None:
    found = RichardsonLucy(IterationBound(3))(torch.zeros(8, 8), psf=torch.ones(3, 3))
    assert not bool(found.value.any())
