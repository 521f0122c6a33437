"""Compressed sensing against certificates, explicit Fourier sums, other solvers, and images that are known."""

import cmath

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.difference import PeriodicGradient
from gradatim.restore.mri.coil_maps import Espirit
from gradatim.restore.mri.coil_splitting import CoilSplitting
from gradatim.restore.mri.compressed_sensing import CompressedSensing
from gradatim.restore.mri.held_out import HeldOut
from gradatim.restore.mri.kspace import KSpace
from gradatim.restore.mri.periphery_noise import PeripheryNoise
from gradatim.restore.mri.sparsity import CosineSparsity, Sparsity, TotalVariation
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallGap
from tests.restore.mri.coils import coils, head, pattern, scan

SHAPE = (32, 28)
ALL = torch.ones(SHAPE, dtype=torch.bool)
ONE = torch.ones(1, *SHAPE, dtype=torch.complex128)
SMALL = (18, 16)


def error(found: Tensor, true: Tensor) -> float:
    return float((found - true).norm() / true.norm())


def test_the_model_is_the_fourier_sum_of_each_coil() -> None:
    shape = (5, 6)
    x = torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    maps, mask = coils(shape, 3), pattern(shape, share=0.6, middle=2)
    y = KSpace(ONE.new_ones(3, *shape), mask).model(maps).apply(x)
    for c, k, m in ((0, 2, 3), (1, 4, 0), (2, 0, 5)):
        total = sum(
            complex(maps[c, i, j] * x[i, j])
            * cmath.exp(-2j * cmath.pi * ((k - 2) * (i - 2) / 5 + (m - 3) * (j - 3) / 6))
            for i in range(5)
            for j in range(6)
        )
        assert abs(complex(y[c, k, m]) - float(mask[k, m]) * total / 30**0.5) < 1e-13


@pytest.mark.parametrize("sparsity", [TotalVariation(), CosineSparsity(3)], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("count", [1, 4])
def test_the_steps_reach_the_certified_minimum(sparsity: Sparsity, count: int) -> None:
    maps = None if count == 1 else coils(SMALL, count)
    kspace = scan(
        head(SMALL), ONE[:, :18, :16] if maps is None else maps, pattern(SMALL, share=0.4, middle=6), noise=0.02
    )
    operator, weight = sparsity.operator(SMALL), 0.02
    function = sparsity.function(sparsity.weights(torch.zeros(operator.codomain_shape, dtype=torch.complex128), 1.0))
    method = CoilSplitting(kspace, maps, operator, 0.4)
    state = method.init(kspace.combined(maps), function=function, weight=weight)
    for _ in range(1500):
        state = method.step(state, function=function, weight=weight)
    target = kspace.samples[0] if maps is None else kspace.samples
    problem = Problem((Term(SquaredDistance(target), kspace.model(maps)), Term(function, operator, weight)))
    certificate = problem.certificate(state.image, (None, method.penalty * state.coefficient_duals))
    assert certificate is not None
    assert certificate.relative < 1e-4


def test_maps_that_see_less_somewhere_need_the_unmeasured_channel() -> None:
    maps = coils(SMALL, 3) * (0.2 + 0.8 * (head(SMALL).abs() > 0))
    kspace = scan(head(SMALL), maps, pattern(SMALL, share=0.5, middle=6), noise=0.01)
    found = CompressedSensing(TotalVariation(), 0.02, rounds=0, rule=IterationBound(800))(kspace, maps=maps)
    gradient = PeriodicGradient(SMALL, (1.0, 1.0))
    problem = Problem(
        (Term(SquaredDistance(kspace.samples), kspace.model(maps)), Term(GroupL1(axis=-3), gradient, 0.02))
    )
    other = Pdhg(IterationBound(2000) | SmallGap(1e-6))(problem, start=kspace.combined(maps))
    assert float(problem.value(found.image)) == pytest.approx(float(problem.value(other.value)), rel=1e-5)


def test_more_iterations_prove_more() -> None:
    kspace = scan(head(SMALL), ONE[:, :18, :16], pattern(SMALL, share=0.4, middle=6), noise=0.02)
    gaps = []
    for count in (20, 400):
        proof = CompressedSensing(weight=0.02, rounds=1, rule=IterationBound(count))(kspace).solution.certificate
        assert proof is not None
        gaps.append(proof.relative)
    assert 0 <= gaps[1] < 0.01 * gaps[0]


def test_all_samples_and_no_prior_give_the_image() -> None:
    found = CompressedSensing(weight=0.0, rounds=0, rule=IterationBound(300))(scan(head(SHAPE), ONE, ALL))
    assert error(found.image, head(SHAPE)) < 1e-4


@pytest.mark.parametrize("sparsity", [TotalVariation(), CosineSparsity()], ids=lambda s: type(s).__name__)
def test_a_head_from_a_third_of_its_samples(sparsity: Sparsity) -> None:
    image, shape = head((64, 64)), (64, 64)
    kspace = scan(image, torch.ones(1, *shape, dtype=torch.complex128), pattern(shape, share=0.3, middle=10))
    found = CompressedSensing(sparsity, 1e-4)(kspace)
    assert error(found.image, image) < 0.25 * error(kspace.coil_images[0], image)


def test_coils_help() -> None:
    image, shape = head((48, 48)), (48, 48)
    mask, maps = pattern(shape, share=0.2, middle=12), coils(shape, 6)
    kspace = scan(image, maps, mask, noise=0.002)
    length = torch.linalg.vector_norm(maps, dim=0)
    found = CompressedSensing(weight=1e-3)(kspace, maps=maps)
    alone = CompressedSensing(weight=1e-3)(
        scan(image, torch.ones(1, *shape, dtype=torch.complex128), mask, noise=0.002)
    )
    assert error(found.image, image) < 0.6 * error(alone.image, image)
    estimated = Espirit(calibration=12, kernel=4)(kspace)
    blind = CompressedSensing(weight=1e-3)(kspace, maps=estimated.maps)
    assert error(blind.image.abs(), image.abs() * length) < 0.1


def test_the_unit_of_the_data_does_not_matter() -> None:
    kspace = scan(head(SHAPE), ONE, pattern(SHAPE, share=0.4, middle=6), noise=0.02)
    method = CompressedSensing(weight=HeldOut(points=3))
    first, second = method(kspace), method(KSpace(1e6 * cmath.exp(1j) * kspace.samples, kspace.mask))
    assert second.weight == pytest.approx(1e6 * first.weight, rel=1e-12)
    assert error(second.image / (1e6 * cmath.exp(1j)), first.image) < 1e-9


def test_rounds_of_reweighting_are_nearer_to_a_sharp_image() -> None:
    image, shape = head((64, 64)), (64, 64)
    kspace = scan(image, torch.ones(1, *shape, dtype=torch.complex128), pattern(shape, share=0.3, middle=10))
    errors = [error(CompressedSensing(weight=1e-4, rounds=rounds)(kspace).image, image) for rounds in (0, 3)]
    assert errors[1] < 0.8 * errors[0]


def test_three_dimensions() -> None:
    shape = (16, 14, 12)
    image, maps = head(shape), coils(shape, 3)
    found = CompressedSensing(weight=1e-3, rounds=1)(scan(image, maps, pattern(shape, share=0.4, middle=6)), maps=maps)
    assert error(found.image, image) < 0.5 * error(scan(image, ONE.new_ones(1, *shape), ALL.new_ones(shape)).only(
        pattern(shape, share=0.4, middle=6)).coil_images[0], image)  # fmt: skip


def test_more_noise_asks_for_a_larger_weight() -> None:
    mask = pattern((48, 48), share=0.5, middle=8)
    chosen = [
        CompressedSensing(rounds=0)(
            scan(head((48, 48)), torch.ones(1, 48, 48, dtype=torch.complex128), mask, noise=noise)
        ).weight
        for noise in (0.01, 0.1)
    ]
    assert chosen[1] > 2 * chosen[0]


def test_what_is_held_out_lies_outside_the_middle() -> None:
    kspace = scan(head(SHAPE), ONE, pattern(SHAPE, share=0.5, middle=8))
    aside = HeldOut(share=0.3, middle=0.25).draw(kspace)
    assert bool((kspace.mask | ~aside).all())
    assert not bool(aside[14:19, 13:16].any())
    assert 0.27 < float(aside.sum() / kspace.mask.sum()) <= 0.3


def test_nothing_to_hold_out_is_refused() -> None:
    middle = torch.zeros(SHAPE, dtype=torch.bool)
    middle[15:18, 13:16] = True
    with pytest.raises(InputError, match="GD-683"):
        CompressedSensing()(scan(head(SHAPE), ONE, middle))


@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_noise_of_each_coil(sigma: float) -> None:
    shape = (128, 96)
    kspace = scan(head(shape), coils(shape), ALL.new_ones(shape), noise=sigma)
    assert PeripheryNoise()(kspace).tolist() == pytest.approx([sigma] * 4, rel=0.12)


def test_too_few_samples_for_noise_are_refused() -> None:
    with pytest.raises(InputError, match="GD-683"):
        PeripheryNoise()(scan(head(SHAPE), ONE, pattern(SHAPE, share=0.05, middle=4)))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: KSpace(torch.ones(1, 4, 4), torch.ones(4, 4, dtype=torch.bool)), "GD-680"),
        (lambda: KSpace(torch.ones(4, 4) + 0j, torch.ones(4, dtype=torch.bool)), "GD-680"),
        (lambda: KSpace(torch.zeros(1, 4, 4) + 0j, torch.ones(4, 4, dtype=torch.bool)), "GD-681"),
        (lambda: KSpace(torch.full((1, 4, 4), torch.nan) + 0j, torch.ones(4, 4, dtype=torch.bool)), "GD-681"),
        (lambda: KSpace(torch.ones(1, 4, 4) + 0j, torch.ones(4, 5, dtype=torch.bool)), "GD-103"),
        (lambda: KSpace(torch.ones(1, 4, 4) + 0j, torch.ones(4, 4)), "GD-103"),
        (
            lambda: CoilSplitting(scan(head(SHAPE), coils(SHAPE), ALL), None, CosineSparsity().operator(SHAPE), 1.0),
            "GD-104",
        ),
        (
            lambda: CoilSplitting(scan(head(SHAPE), ONE, ALL), coils(SHAPE), CosineSparsity().operator(SHAPE), 1.0),
            "GD-103",
        ),
        (lambda: CoilSplitting(scan(head(SHAPE), ONE, ALL), None, CosineSparsity().operator(SHAPE), 0.0), "GD-101"),
        (lambda: CompressedSensing(weight=-1.0), "GD-101"),
        (lambda: CompressedSensing(rounds=-1), "GD-101"),
        (lambda: HeldOut(share=1.0), "GD-101"),
        (lambda: HeldOut(range=(0.1, 0.01)), "GD-101"),
        (lambda: PeripheryNoise(outer=0.0), "GD-101"),
    ],
)
def test_refusals(make, code: str) -> None:
    with pytest.raises((InputError, UsageError), match=code):
        make()
