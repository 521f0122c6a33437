"""Tensor and kurtosis: the truth from clean signals, laws of rotation and scale, errors that cover, and DIPY."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.diffusion.fitted import Verdict
from gradatim.diffusion.gradient_pairs import BipolarPair
from gradatim.diffusion.kurtosis import QUADS, WeightedKurtosis, kurtosis_design
from gradatim.diffusion.kurtosis_maps import KurtosisMaps, mean_kurtosis, radial_kurtosis
from gradatim.diffusion.noise_models import RicianNoise
from gradatim.diffusion.tensor import WeightedTensor
from gradatim.diffusion.tensor_fit import six, symmetric, tensor_design
from gradatim.diffusion.tensor_maps import TensorMaps, direction_colours, fractional_anisotropy, main_direction
from gradatim.diffusion.tensor_positive import PositiveTensor

FITS = (WeightedTensor(), WeightedTensor(3), PositiveTensor(), PositiveTensor(RicianNoise(1e-4)))
PROLATE = torch.diag(torch.tensor([1.7e-9, 0.4e-9, 0.3e-9], dtype=torch.float64))


def directions(count: int) -> Tensor:
    """Unit vectors spread evenly by the golden angle, (count, 3)."""
    i = torch.arange(count, dtype=torch.float64) + 0.5
    z, turn = 1.0 - i / count, i * math.pi * (3.0 - math.sqrt(5.0))
    across = (1.0 - z.square()).sqrt()
    return torch.stack([across * turn.cos(), across * turn.sin(), z], 1)


def linear(*weightings: float, count: int = 30) -> Tensor:
    """b-matrices of shells with linear encoding, two without weighting first, s/m²."""
    g = directions(count)
    shells = [b * g[:, :, None] * g[:, None, :] for b in weightings]
    return torch.cat([torch.zeros(2, 3, 3, dtype=torch.float64), *shells])


def turned(seed: int) -> Tensor:
    """A rotation by chance."""
    random = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=random, dtype=torch.float64))
    q = q * r.diagonal().sign()
    return q * torch.linalg.det(q)


def series(signal: Tensor, b: Tensor) -> DiffusionSeries:
    """Voxels along x, (n, voxel)."""
    shape = (signal.shape[1], 1, 1)
    return DiffusionSeries(
        signal.reshape(len(signal), *shape), b, torch.ones(shape).bool(), Grid(shape, (2.0, 2.0, 2.0))
    )


def signals(tensor: Tensor, b: Tensor, *, s0: float = 100.0) -> Tensor:
    """S0·exp(−B : D), (n, voxel), of tensors (voxel, 3, 3)."""
    return s0 * torch.exp(-torch.einsum("nij,vij->nv", b, tensor))


def noisy(signal: Tensor, sigma: float, *, count: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return signal + sigma * torch.randn(len(signal), count, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("fit", FITS)
def test_a_clean_signal_gives_the_tensor_whatever_shape_the_encoding_has(fit) -> None:
    random = torch.Generator().manual_seed(0)
    root = torch.randn(40, 3, 3, generator=random, dtype=torch.float64)
    b = 0.3e9 * root @ root.mT  # b-matrices of no particular shape, as imaging gradients make them
    truth = turned(1) @ PROLATE @ turned(1).mT
    found = fit(series(signals(truth[None], b), b))
    torch.testing.assert_close(found.tensor[0], truth, rtol=1e-7, atol=1e-16)
    assert found.coefficients[0, 0].exp().item() == pytest.approx(100.0, rel=1e-8)
    assert found.verdict.item() == int(Verdict.FITTED)


def test_a_scalar_b_misses_what_imaging_gradients_add() -> None:
    """An imaging lobe of b = 0.675 s/mm² of its own leaves cross terms far larger; a bare direction misses them."""
    g, lobe = directions(30), torch.tensor([500.0, 0.0, 650.0], dtype=torch.float64)
    q = math.sqrt(442.5e6) * g + lobe
    bare, whole = linear(442.5e6), linear(442.5e6)
    whole[2:] = q[:, :, None] * q[:, None, :]
    truth = turned(3) @ PROLATE @ turned(3).mT
    found, missed = (WeightedTensor()(series(signals(truth[None], whole), b)).tensor[0] for b in (whole, bare))
    torch.testing.assert_close(found, truth, rtol=1e-7, atol=1e-16)
    assert float((missed - truth).abs().max()) > 0.01e-9


@pytest.mark.parametrize("fit", FITS)
def test_turning_the_encoding_turns_the_tensor_and_leaves_fa_and_md(fit) -> None:
    b = linear(1e9)
    data = noisy(signals(PROLATE[None], b).expand(-1, 5), 2.0, count=5, seed=1).clamp_min(0.5)
    turn = turned(2)
    one, other = fit(series(data, b)), fit(series(data, turn @ b @ turn.mT))
    torch.testing.assert_close(other.tensor, turn @ one.tensor @ turn.mT, rtol=1e-5, atol=1e-15)
    first, second = TensorMaps()(one), TensorMaps()(other)
    for name in first:
        torch.testing.assert_close(first[name].value, second[name].value, rtol=1e-5, atol=1e-15)
        error, again = first[name].error, second[name].error
        torch.testing.assert_close(error, again, rtol=1e-3, atol=1e-15)


@pytest.mark.parametrize("fit", FITS)
def test_scales_of_signal_and_weighting(fit) -> None:
    b = linear(1e9)
    data = noisy(signals(PROLATE[None], b).expand(-1, 3), 1.0, count=3, seed=2)
    scaled = PositiveTensor(RicianNoise(7e-4)) if fit is FITS[3] else fit
    one, other = TensorMaps()(fit(series(data, b))), TensorMaps()(scaled(series(7.0 * data, 0.5 * b)))
    torch.testing.assert_close(other["FA"].value, one["FA"].value, rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(other["MD"].value, 2.0 * one["MD"].value, rtol=1e-5, atol=0.0)
    torch.testing.assert_close(other["S0"].value, 7.0 * one["S0"].value, rtol=1e-5, atol=0.0)


def test_anisotropy_of_known_tensors() -> None:
    values = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    found = fractional_anisotropy(values.requires_grad_())
    assert found.tolist() == pytest.approx([1.0, 0.0, math.sqrt(0.5), 0.0])
    found.sum().backward()
    assert bool(values.grad.isfinite().all())


def test_isotropy_gives_no_anisotropy_but_that_of_the_noise() -> None:
    b = linear(1e9)
    sphere = torch.eye(3, dtype=torch.float64) * 0.8e-9
    clean = TensorMaps()(WeightedTensor()(series(signals(sphere[None], b), b)))
    assert clean["FA"].value.item() < 1e-6
    means = [
        float(TensorMaps()(WeightedTensor()(series(data, b)))["FA"].value.mean())
        for data in (noisy(signals(sphere[None], b), sigma, count=300, seed=3) for sigma in (0.5, 1.0, 2.0))
    ]
    assert means[0] < means[1] < means[2] < 0.15
    assert means[1] / means[0] == pytest.approx(2.0, rel=0.1)  # the bias of a length grows as its noise


@pytest.mark.parametrize("fit", [WeightedTensor(2), PositiveTensor()])
def test_errors_are_those_of_repeats(fit) -> None:
    b = linear(1e9)
    truth = turned(4) @ PROLATE @ turned(4).mT
    found = fit(series(noisy(signals(truth[None], b), 2.0, count=3000, seed=4), b))
    maps = TensorMaps()(found)
    values = torch.linalg.eigvalsh(PROLATE).flip(0)
    expected = {"FA": fractional_anisotropy(values), "MD": values.mean(), "AD": values[0], "RD": values[1:].mean()}
    for name, value in expected.items():
        one = maps[name]
        # the scatter of 3000 repeats is known to 1.3 %; curvature of FA and AD takes some more
        assert float(one.error.mean()) == pytest.approx(float(one.value.std()), rel=0.08)
        inside = ((one.value - value).abs() < 1.96 * one.error).double().mean()
        assert float(inside) == pytest.approx(0.95, abs=0.025)
    assert float(found.sigma.square().mean()) == pytest.approx(4.0, rel=0.03)


def test_gradients_reach_the_signal() -> None:
    b = linear(1e9, count=8)
    data = noisy(signals(PROLATE[None], b).expand(-1, 2), 1.0, count=2, seed=5).requires_grad_()
    for fit in (WeightedTensor(), PositiveTensor()):
        assert torch.autograd.gradcheck(
            lambda y, fit=fit: TensorMaps()(fit(series(y, b)))["FA"].value, (data,), eps=1e-4, rtol=2e-3, atol=1e-6
        )


def test_a_diffusivity_below_zero_is_said_or_excluded() -> None:
    b = linear(1e9)
    data = signals(torch.diag(torch.tensor([1.5e-9, 0.8e-9, -0.3e-9], dtype=torch.float64))[None], b)
    weighted, positive = WeightedTensor()(series(data, b)), PositiveTensor()(series(data, b))
    assert weighted.verdict.item() == int(Verdict.NOT_POSITIVE)
    assert positive.verdict.item() == int(Verdict.FITTED)
    values = torch.linalg.eigvalsh(positive.tensor[0])
    assert -1e-20 < values[0].item() < 1e-15
    assert 0.0 <= TensorMaps()(weighted)["FA"].value.item() <= 1.0


def test_the_noise_floor_does_not_move_the_rician_tensor() -> None:
    b = linear(3e9, count=60)
    random = torch.Generator().manual_seed(6)
    clean = signals(PROLATE[None], b, s0=25.0)
    channels = torch.randn(2, len(b), 400, generator=random, dtype=torch.float64)
    data = series(torch.hypot(clean + channels[0], channels[1]), b)
    md = {
        name: float(TensorMaps()(fit(data))["MD"].value.nanmean())
        for name, fit in (("floor", PositiveTensor(RicianNoise(1.0))), ("log", WeightedTensor()))
    }
    assert md["floor"] == pytest.approx(0.8e-9, rel=0.02)
    assert md["log"] < 0.95 * 0.8e-9


def test_a_dark_voxel_is_nan_and_alone() -> None:
    b = linear(1e9)
    data = signals(PROLATE[None], b).expand(-1, 2).clone()
    data[:, 0] = 0.0
    for fit in (WeightedTensor(), PositiveTensor()):
        found = fit(series(data, b))
        assert found.verdict.tolist() == [int(Verdict.DARK), int(Verdict.FITTED)]
        fa = TensorMaps()(found)["FA"].value
        assert bool(fa[0].isnan().all())
        assert fa[1].item() == pytest.approx(float(fractional_anisotropy(PROLATE.diagonal())), rel=1e-6)


def test_a_voxel_that_its_weights_leave_undetermined_is_nan_and_alone() -> None:
    """Without signal at b = 0, and one resampled value near 0: its weights span 27 orders of magnitude."""
    b = linear(1e9)
    data = signals(PROLATE[None], b).expand(-1, 3).clone()
    data[:2, 0] = 0.0
    data[5, 1] = 1e-12
    expected = float(fractional_anisotropy(PROLATE.diagonal()))
    for fit in (WeightedTensor(), WeightedTensor(4), PositiveTensor(), WeightedKurtosis()):
        matrices = torch.cat([b, 2.5 * b[2:]]) if isinstance(fit, WeightedKurtosis) else b
        values = torch.cat([data, data[2:].pow(2.5) / 100**1.5]) if isinstance(fit, WeightedKurtosis) else data
        found = fit(series(values, matrices))
        assert found.verdict[2].item() == int(Verdict.FITTED)
        assert bool((found.coefficients[:, 0].isnan() | (found.coefficients[:, 0].abs() < 100)).all())
        lost = found.coefficients.isnan().any(1)
        assert bool((found.verdict[lost] != int(Verdict.FITTED)).all())
        if not isinstance(fit, WeightedKurtosis):
            assert TensorMaps()(found)["FA"].value[2].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e100])
def test_values_over_many_orders_of_magnitude_never_stop_a_fit(scale: float) -> None:
    b, random = linear(1e9), torch.Generator().manual_seed(7)
    data = scale * 10 ** (12 * torch.rand(len(b), 60, generator=random, dtype=torch.float64) - 8)
    data[torch.rand(len(b), 60, generator=random) < 0.2] = 0.0
    data[:2, :5] = 0.0
    for fit in (WeightedTensor(), PositiveTensor(), PositiveTensor(RicianNoise(1.0))):
        found = fit(series(data, b))
        assert bool(found.coefficients[found.verdict == int(Verdict.FITTED)].isfinite().all())


def test_colours_point_to_the_patient() -> None:
    b = linear(1e9)
    found = WeightedTensor()(series(signals(PROLATE[None], b), b))  # fastest along the array's x
    affine = ((0.0, -2.0, 0.0, 0.0), (0.0, 0.0, 2.0, 0.0), (2.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))  # x is superior
    lying = type(found)(
        found.coefficients,
        found.covariance,
        found.sigma,
        found.verdict,
        found.mask,
        Grid((1, 1, 1), (2.0,) * 3, affine),
    )
    fa = TensorMaps()(found)["FA"].value
    colours = direction_colours(lying, fa=fa)[:, 0, 0, 0]
    assert colours.tolist() == pytest.approx([0.0, 0.0, fa.item()], abs=1e-7)
    assert main_direction(found.tensor)[0].abs().tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-7)


def test_too_few_directions_are_refused() -> None:
    b = linear(1e9, count=5)
    with pytest.raises(InputError, match="GD-842"):
        WeightedTensor()(series(signals(PROLATE[None], b), b))
    plane = linear(1e9)
    plane[:, 2, :] = plane[:, :, 2] = 0.0
    with pytest.raises(InputError, match="GD-842"):
        PositiveTensor()(series(signals(PROLATE[None], plane), plane))
    one_shell = linear(1e9, count=40)
    with pytest.raises(InputError, match="GD-842"):
        WeightedKurtosis()(series(signals(PROLATE[None], one_shell), one_shell))
    with pytest.raises(UsageError, match="GD-186"):
        WeightedTensor(0)
    with pytest.raises(InputError, match="GD-843"):
        WeightedTensor()(series(torch.zeros(32, 1), linear(1e9)))


def test_elements_and_matrices_are_each_other() -> None:
    matrix = turned(5) @ PROLATE @ turned(5).mT
    torch.testing.assert_close(symmetric(six(matrix)), matrix)
    b = linear(1e9)
    expected = -torch.einsum("nij,ij->n", b, matrix)
    torch.testing.assert_close(tensor_design(b)[:, 1:] @ six(matrix), expected)


def kurtosis_signal(b: Tensor, fourth: Tensor, tensor: Tensor) -> Tensor:
    """S of a symmetric V by the definition, (n, 1)."""
    logs = -torch.einsum("nij,ij->n", b, tensor) + torch.einsum("nij,nkl,ijkl->n", b, b, fourth) / 6.0
    return 100.0 * logs.exp()[:, None]


def symmetrised(seed: int) -> Tensor:
    """A fourth-order tensor, symmetric in all indices, of the size of the brain's MD²·W."""
    random = torch.Generator().manual_seed(seed)
    v = torch.randn(6, 3, generator=random, dtype=torch.float64)
    return 0.3e-18 * torch.einsum("pi,pj,pk,pl->ijkl", v, v, v, v) / 6.0


def test_a_clean_signal_gives_the_kurtosis() -> None:
    b = linear(1e9, 2e9)
    tensor, fourth = turned(6) @ PROLATE @ turned(6).mT, symmetrised(7)
    found = WeightedKurtosis()(series(kurtosis_signal(b, fourth, tensor), b))
    torch.testing.assert_close(found.tensor[0], tensor, rtol=1e-6, atol=1e-15)
    torch.testing.assert_close(found.fourth[0], fourth, rtol=1e-5, atol=1e-24)
    maps = KurtosisMaps()(found)

    def along(n: Tensor) -> Tensor:
        return torch.einsum("pi,pj,pk,pl,ijkl->p", n, n, n, n, fourth) / torch.einsum("pi,pj,ij->p", n, n, tensor) ** 2

    node, weight = np.polynomial.legendre.leggauss(120)  # by brute force: 120 × 240 directions over the whole sphere
    z, w = torch.from_numpy(node)[:, None], torch.from_numpy(weight)[:, None] / 480.0
    turn = torch.arange(240, dtype=torch.float64) * (2.0 * math.pi / 240)
    across = (1.0 - z.square()).sqrt()
    sphere = torch.stack([across * turn.cos(), across * turn.sin(), z.expand(-1, 240)], -1).reshape(-1, 3)
    frame = torch.linalg.eigh(tensor)[1]
    circle = turn.cos()[:, None] * frame[:, 0] + turn.sin()[:, None] * frame[:, 1]
    assert maps["MK"].value.item() == pytest.approx(
        float((w.expand(-1, 240).reshape(-1) * along(sphere)).sum()), rel=1e-6
    )
    assert maps["RK"].value.item() == pytest.approx(float(along(circle).mean()), rel=1e-5)
    assert maps["AK"].value.item() == pytest.approx(float(along(frame[None, :, 2])), rel=1e-5)
    flat = torch.einsum("pi,pj,pk,pl,ijkl->p", sphere, sphere, sphere, sphere, fourth)
    mean = float((w.expand(-1, 240).reshape(-1) * flat).sum()) / float(tensor.diagonal().mean()) ** 2
    assert maps["MKT"].value.item() == pytest.approx(mean, rel=1e-5)


def test_kurtosis_of_a_mixture_of_two_gaussians() -> None:
    """K = 3·Var(D)/MD² for isotropic compartments: half 0.5e-9 and half 1.5e-9 gives 0.75."""
    b = linear(0.02e9, 0.04e9)
    signal = 0.5 * (
        torch.exp(-b.diagonal(dim1=1, dim2=2).sum(1) * 0.5e-9) + torch.exp(-b.diagonal(dim1=1, dim2=2).sum(1) * 1.5e-9)
    )
    maps = KurtosisMaps()(WeightedKurtosis()(series(100.0 * signal[:, None], b)))
    for name in ("MK", "AK", "RK", "MKT"):
        assert maps[name].value.item() == pytest.approx(0.75, rel=0.01)


def test_an_isotropic_kurtosis_is_the_same_every_way() -> None:
    same = torch.ones(3, 3, dtype=torch.float64) / 3.0 + 2.0 / 3.0 * torch.eye(3, dtype=torch.float64)
    values = torch.full((1, 3), 2.0, dtype=torch.float64)
    assert mean_kurtosis(values, 4.0 * same[None]).item() == pytest.approx(1.0, rel=1e-12)
    assert radial_kurtosis(values, 4.0 * same[None]).item() == pytest.approx(1.0, rel=1e-12)


def test_the_error_of_mean_kurtosis_is_that_of_repeats() -> None:
    b = linear(1e9, 2e9, count=40)
    clean = kurtosis_signal(b, symmetrised(8), turned(9) @ PROLATE @ turned(9).mT)
    found = KurtosisMaps()(WeightedKurtosis(2)(series(noisy(clean, 0.5, count=1500, seed=9), b)))["MK"]
    assert float(found.error.median()) == pytest.approx(float(found.value.std()), rel=0.1)


def test_the_design_of_kurtosis_is_the_definition() -> None:
    b, fourth = linear(1e9, count=7), symmetrised(10)
    v = torch.tensor([float(fourth[quad]) for quad in QUADS], dtype=torch.float64)
    expected = torch.einsum("nij,nkl,ijkl->n", b, b, fourth) / 6.0
    torch.testing.assert_close(kurtosis_design(b)[:, 7:] @ v, expected)


def test_a_series_without_volumes_or_with_numbers_for_a_mask_is_refused() -> None:
    """Numbers would be taken as indices, and pick other voxels."""
    grid, some = Grid((2, 1, 1), (1.0, 1.0, 1.0)), torch.ones(2, 1, 1)
    with pytest.raises(UsageError, match=r"GD-103.*int64"):
        DiffusionSeries(torch.ones(3, 2, 1, 1), torch.zeros(3, 3, 3), some.long(), grid)
    with pytest.raises(UsageError, match="GD-103"):
        DiffusionSeries(torch.ones(0, 2, 1, 1), torch.zeros(0, 3, 3), some.bool(), grid)


def test_a_gap_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="GD-805"):
        BipolarPair(gap=math.nan).b(0.04, duration=0.01, separation=0.02)
