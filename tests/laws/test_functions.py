"""One table of functions, one list of laws: value, proximal map, conjugate, constants and derivatives agree."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import scipy.optimize
import torch
from torch import Tensor

from gradatim.linop.wavelet import Wavelet
from gradatim.linop.wavelet_filter import daubechies
from gradatim.solve.basis import InBasis
from gradatim.solve.constraints import Box, NonNegative
from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance
from gradatim.solve.function import Function
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2
from gradatim.solve.nuclear import Nuclear
from gradatim.solve.phase import NonlinearPhase
from gradatim.solve.poisson import KullbackLeibler

STEPS = (0.3, 2.5)


def _random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _positive(*shape: int, seed: int = 0) -> Tensor:
    return 0.2 + torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Case(NamedTuple):
    """A function as its constructor and the tensors it is made of, and the points that it takes.

    ``linear`` is the position of a parameter in which f is linear (a weight), if there is one.
    """

    make: Callable[..., Function]
    parameters: tuple[Tensor, ...] = ()
    shape: tuple[int, ...] = (4,)
    dtype: torch.dtype = torch.float64
    linear: int | None = None

    @property
    def f(self) -> Function:
        return self.make(*self.parameters)

    def point(self, seed: int) -> Tensor:
        """Anywhere."""
        return 1.5 * _random(*self.shape, seed=seed, dtype=self.dtype)

    def inside(self, seed: int) -> Tensor:
        """Where f is finite."""
        return self.f.prox(self.point(seed), 1.0)


FIELD, MATRIX = (2, 1, 2), (2, 3)
W, Y = _positive(4, seed=1), _random(4, seed=2)
Z = _random(2, seed=3, dtype=torch.complex128)
COMPLEX = torch.complex128
HAAR = Wavelet((4,), 2, daubechies(1))

CONVEX = {
    "L1": Case(L1, (W,), linear=0),
    "L1, complex": Case(L1, (W[:2],), (2,), COMPLEX, 0),
    "GroupL1, 2-D field": Case(lambda w: GroupL1(w, axis=-3), (_positive(1, 2, seed=4),), FIELD, linear=0),
    "GroupL1, 3-D field": Case(GroupL1, (_positive(1, 1, 1, seed=4),), (3, 1, 1, 1), linear=0),
    "GroupL1, complex": Case(lambda w: GroupL1(w, axis=-2), (_positive(1, seed=4),), (2, 1), COMPLEX, linear=0),
    "GroupHuber": Case(lambda w: GroupHuber(0.8, w, axis=-3), (_positive(1, 2, seed=4),), FIELD, linear=0),
    "GroupHuber, complex": Case(lambda w: GroupHuber(0.8, w, axis=-2), (_positive(1, seed=5),), (2, 1), COMPLEX, 0),
    "SquaredL2": Case(SquaredL2, (W,), linear=0),
    "SquaredL2, complex": Case(SquaredL2, (W[:2],), (2,), COMPLEX, 0),
    "SquaredDistance": Case(SquaredDistance, (Y, W), linear=1),
    "SquaredDistance, complex": Case(SquaredDistance, (Z, W[:2]), (2,), COMPLEX, 1),
    "HuberDistance": Case(lambda y, w: HuberDistance(y, w, threshold=0.6), (Y, W)),
    "HuberDistance, complex": Case(lambda y, w: HuberDistance(y, w, threshold=0.6), (Z, W[:2]), (2,), COMPLEX),
    "L1Distance": Case(L1Distance, (Y, W), linear=1),
    "L1Distance, complex": Case(L1Distance, (Z, W[:2]), (2,), COMPLEX, 1),
    "InBasis": Case(lambda w: InBasis(L1(torch.cat([w.new_zeros(1), w])), HAAR), (W[1:],), linear=0),
    "InBasis, complex": Case(lambda w: InBasis(SquaredL2(w), Wavelet((2,), 1, daubechies(1))), (W[:1],), (2,), COMPLEX),
    "Nuclear, wide": Case(Nuclear, (torch.tensor(0.7, dtype=torch.float64),), MATRIX, linear=0),
    "Nuclear, tall, one weight a matrix": Case(Nuclear, (_positive(2, seed=6),), (2, 2, 1), linear=0),
    "Nuclear, complex": Case(Nuclear, (torch.tensor(0.2, dtype=torch.float64),), (2, 2), COMPLEX, 0),
    "Box": Case(lambda a, b: Box(a, b), (-W, 0.5 * W)),
    "Box, one side open": Case(lambda b: Box(upper=b), (Y,)),
    "NonNegative": Case(NonNegative),
    "KullbackLeibler": Case(KullbackLeibler, (4.0 * W, _positive(4, seed=7))),
    "KullbackLeibler, dark voxels": Case(lambda b: KullbackLeibler(b.new_tensor([0.0, 3.0, 0.0, 1.0]), b), (W,)),
    "KullbackLeibler, bounded": Case(
        lambda b: KullbackLeibler(b.new_tensor([0.0, 3.0, 0.2]), b, lower=0.0), (W[:3],), (3,)
    ),
}
ALL = {**CONVEX, "NonlinearPhase": Case(NonlinearPhase, (Y, 2.0 * W), linear=1)}
SMOOTH = [name for name, case in ALL.items() if math.isfinite(case.f.smoothness)]

every = pytest.mark.parametrize("name", ALL)
convex = pytest.mark.parametrize("name", CONVEX)
smooth = pytest.mark.parametrize("name", SMOOTH)


def _dot(a: Tensor, b: Tensor) -> float:
    return float((a.conj() * b).real.sum())


def _flat(u: Tensor) -> Tensor:
    """The real numbers that a tensor is made of."""
    return (torch.view_as_real(u) if u.is_complex() else u).flatten()


def _moreau(f: Function, v: Tensor, step: float) -> Callable[[Tensor], float]:
    return lambda u: float(f.value(u)) + float(_flat(u - v).square().sum()) / (2.0 * step)


@pytest.mark.parametrize("step", STEPS)
@every
def test_no_search_finds_a_better_point_than_the_prox(name, step):
    """Brute force: a derivative-free search from elsewhere ends at the same value, never below."""
    case = ALL[name]
    v = case.point(10)
    u = case.f.prox(v, step)
    cost = _moreau(case.f, v, step)

    def number(x: object) -> float:
        parts = torch.as_tensor(x, dtype=torch.float64)
        return cost(torch.view_as_complex(parts.view(*v.shape, 2)) if v.is_complex() else parts.view(v.shape))

    corners = torch.stack([_flat(case.inside(seed)) for seed in range(11, 12 + _flat(v).numel())])
    simplex, values = corners, []
    for _ in range(3):  # again from where it ended, as a simplex may collapse; all corners stay in the domain
        limits = {"maxfev": 1500, "xatol": 1e-5, "fatol": 1e-8, "initial_simplex": simplex}
        found = scipy.optimize.minimize(number, simplex[0], method="Nelder-Mead", options=limits)
        best = torch.as_tensor(found.x)
        simplex = torch.cat([best[None], best + 0.3 * (corners[1:] - best)])
        values.append(found.fun)
    assert min(values) >= cost(u) - 1e-9
    assert min(values) <= cost(u) + 1e-3


@convex
def test_prox_is_firmly_nonexpansive(name):
    """‖p(a) − p(b)‖² ≤ ⟨p(a) − p(b), a − b⟩: the property every proof of convergence uses."""
    case = CONVEX[name]
    for seed in range(20):
        a, b = case.point(seed), case.point(100 + seed)
        moved = case.f.prox(a, 0.8) - case.f.prox(b, 0.8)
        assert _dot(moved, moved) <= _dot(moved, a - b) + 1e-12


@convex
def test_fenchel_young(name):
    """f(u) + f*(p) ≥ ⟨p, u⟩ everywhere, with equality where p is a subgradient, as the prox gives one."""
    case = CONVEX[name]
    f = case.f
    for seed in range(20):
        u, p = case.inside(seed), f.dual_point(case.point(200 + seed))
        assert float(f.value(u)) + float(f.conjugate(p)) >= _dot(p, u) - 1e-12
        v = case.point(300 + seed)
        for step in STEPS:
            u = f.prox(v, step)
            p = (v - u) / step
            if float(f.conjugate(p)) == math.inf:  # the rounding in v − u is more than is forgiven near 0
                p = f.dual_point(p)
                assert float(_flat(p - (v - u) / step).abs().max()) < 1e-14
            assert float(f.value(u)) + float(f.conjugate(p)) == pytest.approx(_dot(p, u), abs=1e-11)


@convex
def test_moreau_identity(name):
    """v = prox of f at v + step·(prox of f*/step at v/step), and the second is a minimiser of its own cost."""
    case = CONVEX[name]
    f, v = case.f, case.point(20)
    for step in STEPS:
        q = f.dual_prox(v / step, 1.0 / step)
        torch.testing.assert_close(f.prox(v, step) + step * q, v, rtol=1e-12, atol=1e-12)

        def cost(p: Tensor, v: Tensor = v, step: float = step) -> float:
            return float(f.conjugate(p)) + 0.5 * step * float(_flat(p - v / step).square().sum())

        best = cost(f.dual_point(q))
        for seed in range(50):
            for size in (1.0, 1e-2):
                assert cost(f.dual_point(q + size * case.point(400 + seed))) >= best - 1e-12


@convex
def test_dual_point_is_the_projection_on_the_domain_of_the_conjugate(name):
    case = CONVEX[name]
    f = case.f
    for seed in range(20):
        p = 2.0 * case.point(seed)
        near = f.dual_point(p)
        assert math.isfinite(float(f.conjugate(near)))
        torch.testing.assert_close(f.dual_point(near), near, rtol=1e-13, atol=1e-13)
        assert _dot(p - near, f.dual_point(case.point(500 + seed)) - near) <= 1e-12


@smooth
def test_gradient_is_that_of_the_value(name):
    case = ALL[name]
    u = case.point(30)
    torch.testing.assert_close(case.f.gradient(u), Function.gradient(case.f, u), rtol=1e-12, atol=1e-12)


@smooth
def test_smoothness_and_strong_convexity_bound_the_change_of_the_gradient(name):
    case = ALL[name]
    f = case.f
    for seed in range(40):
        a = case.point(seed)
        b = a + case.point(600 + seed) * (1.0 if seed % 2 else 1e-2)
        change, way = f.gradient(a) - f.gradient(b), a - b
        assert _dot(change, change) <= f.smoothness**2 * _dot(way, way) * (1 + 1e-9)
        if f.convex:
            assert _dot(change, way) >= max(f.strong_convexity, 0.0) * _dot(way, way) * (1 - 1e-9) - 1e-15


@smooth
def test_smoothness_is_reached(name):
    """The constant is the best one: at the target, or at 0, some single voxel's gradient changes as fast."""
    case = ALL[name]
    at = getattr(case.f, "target", torch.zeros(case.shape, dtype=case.dtype))
    rates = []
    for index in range(at.numel()):
        way = torch.zeros_like(at).flatten()
        way[index] = 1e-5
        change = case.f.gradient(at + way.view(at.shape)) - case.f.gradient(at)
        rates.append(math.sqrt(_dot(change, change)) / 1e-5)
    assert max(rates) == pytest.approx(case.f.smoothness, rel=1e-6)


@every
def test_value_is_differentiable_in_the_point_and_in_the_parameters(name):
    case = ALL[name]
    u = (case.inside(40) if name not in CONVEX or "Kull" in name else case.point(40)).requires_grad_()
    given = [p.clone().requires_grad_() for p in case.parameters]
    if case.f.__class__ in (Box, NonNegative):
        return  # 0 or inf
    assert torch.autograd.gradcheck(lambda at, *parts: case.make(*parts).value(at), (u, *given))


@every
def test_prox_is_differentiable_in_the_point_the_step_and_the_parameters(name):
    case = ALL[name]
    v = case.point(41).requires_grad_()
    step = torch.tensor(0.37, dtype=torch.float64, requires_grad=case.f.__class__ not in (Box, NonNegative))
    given = [p.clone().requires_grad_() for p in case.parameters]
    assert torch.autograd.gradcheck(lambda at, s, *parts: case.make(*parts).prox(at, s), (v, step, *given))


@every
def test_no_derivative_is_undefined_at_a_kink(name):
    """Where a vector is 0, a datum is met or two singular values coincide, some slope is taken, never NaN."""
    case = ALL[name]
    target = getattr(case.f, "target", torch.zeros(case.shape)).to(case.dtype)
    matrices = torch.eye(*case.shape[-2:], dtype=case.dtype).expand(case.shape) if len(case.shape) > 1 else target
    for at in (torch.zeros(case.shape, dtype=case.dtype), target, 3.0 * matrices):
        v = at.clone().requires_grad_()
        given = [p.clone().requires_grad_() for p in case.parameters]
        f = case.make(*given)
        total = f.value(v) if math.isfinite(float(f.value(v).detach())) else 0.0
        total = total + _flat(f.prox(v, 0.4)).square().sum()
        for slope in torch.autograd.grad(total, (v, *given), allow_unused=True):
            assert slope is None or bool(_flat(slope).isfinite().all())


@pytest.mark.parametrize("name", [name for name, case in ALL.items() if case.linear is not None])
def test_a_weight_and_a_step_do_the_same(name):
    """Prox of λf at step s is that of f at step λs, and λ scales the value."""
    case, factor = ALL[name], 3.7
    parts = [factor * p if i == case.linear else p for i, p in enumerate(case.parameters)]
    v = case.point(50)
    torch.testing.assert_close(case.make(*parts).prox(v, 0.4), case.f.prox(v, 0.4 * factor), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(case.make(*parts).value(v), factor * case.f.value(v), rtol=1e-12, atol=1e-12)


@every
def test_batch_is_a_loop(name):
    case = ALL[name]
    items = [case.inside(seed) for seed in range(3)]
    batch = torch.stack(items)
    torch.testing.assert_close(case.f.prox(batch, 0.7), torch.stack([case.f.prox(u, 0.7) for u in items]))
    total = torch.stack([case.f.value(u) for u in items]).sum()
    torch.testing.assert_close(case.f.value(batch), total, rtol=1e-12, atol=1e-12)
    assert batch.isfinite().all()


@every
def test_steps_may_be_tensors_and_float32_stays_float32(name):
    case = ALL[name]
    narrow = case.make(*(p.to(torch.complex64 if p.is_complex() else torch.float32) for p in case.parameters))
    wanted = torch.complex64 if case.dtype.is_complex else torch.float32
    v = case.point(60).to(wanted)
    found = narrow.prox(v, torch.tensor(0.7))
    assert found.dtype is wanted
    torch.testing.assert_close(found, narrow.prox(v, 0.7), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.to(case.dtype), case.f.prox(v.to(case.dtype), 0.7), rtol=1e-4, atol=1e-5)
    assert narrow.value(found).dtype is torch.float64
    p = narrow.dual_point(v)
    assert p.dtype is wanted
    assert name not in CONVEX or math.isfinite(float(narrow.conjugate(p)))
    assert not math.isfinite(narrow.smoothness) or narrow.gradient(v).dtype is wanted


@pytest.mark.parametrize("name", [name for name, case in CONVEX.items() if case.dtype.is_complex])
def test_complex_is_two_reals(name):
    """A turned image has the turned prox where data turn with it, and a real image in complex form the real one."""
    case = CONVEX[name]
    turn = torch.polar(torch.ones((), dtype=torch.float64), torch.tensor(0.8, dtype=torch.float64))
    parts = [p * turn if p.is_complex() else p for p in case.parameters]
    v = case.point(70)
    torch.testing.assert_close(case.make(*parts).prox(turn * v, 0.6), turn * case.f.prox(v, 0.6))
    plain = case.make(*(p.real if p.is_complex() else p for p in case.parameters))
    wide = case.make(*(torch.complex(p.real, 0 * p.real) if p.is_complex() else p for p in case.parameters))
    torch.testing.assert_close(wide.prox(v.real + 0j, 0.6), plain.prox(v.real, 0.6) + 0j)
    torch.testing.assert_close(wide.value(v.real + 0j), plain.value(v.real))


@pytest.mark.gpu
@every
def test_cuda_gives_what_the_cpu_gives(name):
    case = ALL[name]
    there = case.make(*(p.cuda() for p in case.parameters))
    v = case.point(80)
    found = there.prox(v.cuda(), 0.7)
    assert found.is_cuda
    torch.testing.assert_close(found.cpu(), case.f.prox(v, 0.7), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(there.value(found).cpu(), case.f.value(found.cpu()), rtol=1e-10, atol=1e-10)
    if name in CONVEX:
        p = there.dual_point(v.cuda())
        torch.testing.assert_close(there.conjugate(p).cpu(), case.f.conjugate(p.cpu()), rtol=1e-10, atol=1e-10)
