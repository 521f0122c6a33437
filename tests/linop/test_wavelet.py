import itertools
import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.wavelet import BLOCK, Wavelet
from gradatim.linop.wavelet_filter import daubechies, high_pass, symlet

FILTERS = {f"{make.__name__} {n}": make(n) for make in (daubechies, symlet) for n in range(1, 13)}
EPS = 2e-12

DB4 = [0.230377813308855, 0.714846570552542, 0.630880767929590, -0.027983769416984,
       -0.187034811718881, 0.030841381835987, 0.032883011666983, -0.010597401784997]  # fmt: skip
"""Daubechies, Ten Lectures on Wavelets, table 6.1, N = 4."""
SYM4 = [-0.107148901418, -0.041910965125, 0.703739068656, 1.136658243408,
        0.421234534204, -0.140317624179, -0.017824701442, 0.045570345896]  # fmt: skip
"""The same book, table 6.3, N = 4: taps of sum 2."""
SYM8 = [0.002672793393, -0.000428394300, -0.021145686528, 0.005386388754, 0.069490465911, -0.038493521263,
        -0.073462508761, 0.515398670374, 1.099106630537, 0.680745347190, -0.086653615406, -0.202648655286,
        0.010758611751, 0.044823623042, -0.000766690896, -0.004783458512]  # fmt: skip
"""The same table, N = 8."""


def _random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_orthonormal_to_their_even_shifts_and_blind_to_polynomials(name):
    h = torch.tensor(FILTERS[name], dtype=torch.float64)
    g = torch.tensor(high_pass(FILTERS[name]), dtype=torch.float64)
    moments = len(h) // 2
    assert h.sum().item() == pytest.approx(math.sqrt(2), abs=1e-14)
    for m in range(-moments + 1, moments):
        shift = 2 * abs(m)
        assert abs(float(h[shift:] @ h[: len(h) - shift]) - (m == 0)) < EPS
        a, b = (h, g) if m >= 0 else (g, h)
        assert abs(float(a[shift:] @ b[: len(b) - shift])) < EPS
    # centred and scaled abscissae keep the powers of order one
    t = (torch.arange(len(h), dtype=torch.float64) - (len(h) - 1) / 2) / len(h)
    for power in range(moments):
        assert abs(float((g * t**power).sum())) < 1e-12
    assert abs(float((g * t**moments).sum())) > 1e-9


def test_filters_are_those_of_the_book():
    assert daubechies(1) == pytest.approx((math.sqrt(0.5),) * 2)
    r3 = math.sqrt(3)
    assert daubechies(2) == pytest.approx([(c / (4 * math.sqrt(2))) for c in (1 + r3, 3 + r3, 3 - r3, 1 - r3)])
    assert daubechies(4) == pytest.approx(DB4, abs=1e-12)
    for moments, table in ((4, SYM4), (8, SYM8)):
        found = [tap * math.sqrt(2) for tap in symlet(moments)]
        assert min(max(abs(f - t) for f, t in zip(found, each, strict=True)) for each in (table, table[::-1])) < 2e-12


@pytest.mark.parametrize("moments", range(4, 9))
def test_symlets_are_more_symmetric_than_daubechies(moments):
    def lopsided(taps):
        """1 less the best overlap of the filter with its mirror image."""
        h = torch.tensor(taps, dtype=torch.float64).view(1, 1, -1)
        return 1 - float(torch.nn.functional.conv1d(h, h.flip(-1), padding=len(taps)).abs().max())

    assert lopsided(symlet(moments)) < lopsided(daubechies(moments))


SHAPES = [(2,), (7,), (96,), (5, 8), (31, 70), (1, 6), (3, 4, 5), (6, 1, 33)]


@pytest.mark.parametrize(("shape", "name"), [*itertools.product(SHAPES, ("daubechies 1", "daubechies 4", "symlet 8"))])
def test_inverse_is_the_adjoint_on_every_shape(shape, name):
    for levels in range(1, max((max(shape) - 1).bit_length(), 1) + 1):
        W = Wavelet(shape, levels, FILTERS[name])
        x = _random(2, *shape)
        coefficients = W.apply(x)
        torch.testing.assert_close(coefficients.norm(), x.norm(), rtol=1e-12, atol=0)
        torch.testing.assert_close(W.adjoint(coefficients), x, rtol=0, atol=EPS)
        torch.testing.assert_close(W.apply(W.adjoint(x)), x, rtol=0, atol=EPS)


@pytest.mark.parametrize("size", [2, 6, BLOCK, BLOCK + 2, 3 * BLOCK, 3 * BLOCK + 7])
@pytest.mark.parametrize("name", ["daubechies 1", "symlet 4", "daubechies 8"])
def test_one_level_is_the_sum_that_the_docstring_says(size, name):
    h, g = FILTERS[name], high_pass(FILTERS[name])
    x, even = _random(size), size - size % 2
    c = [sum(h[k] * x[(2 * m + k) % even] for k in range(len(h))) for m in range(even // 2)]
    d = [sum(g[k] * x[(2 * m + k) % even] for k in range(len(h))) for m in range(even // 2)]
    wanted = torch.stack([*c, *([x[-1]] if size % 2 else []), *d])
    torch.testing.assert_close(Wavelet((size,), 1, FILTERS[name]).apply(x), wanted, rtol=0, atol=1e-13)


def test_levels_split_the_corner_that_is_left():
    x = _random(12, 20)
    W1, W2 = Wavelet((12, 20), 1), Wavelet((12, 20), 2)
    once = W1.apply(x)
    inner = Wavelet((6, 10), 1).apply(once[:6, :10])
    twice = once.clone()
    twice[:6, :10] = inner
    torch.testing.assert_close(W2.apply(x), twice)
    assert W2.coarse_shape(2) == (3, 5)
    assert int((~W2.details()).sum()) == 15


def test_axes_are_separate_and_exchange():
    x = _random(8, 6)
    W, turned = Wavelet((8, 6), 2), Wavelet((6, 8), 2)
    torch.testing.assert_close(turned.apply(x.T), W.apply(x).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("moments", [1, 2, 4, 8])
def test_details_of_a_polynomial_vanish_away_from_the_wrap(moments):
    t = torch.linspace(-1, 1, 128, dtype=torch.float64)
    for power in range(moments):
        details = Wavelet((128,), 1, daubechies(moments)).apply(t**power)[64:]
        assert float(details[: 64 - moments].abs().max()) < 1e-10


def test_a_flat_image_has_one_kind_of_coefficient():
    W = Wavelet((16, 16, 8), 3)
    found = W.apply(torch.ones(16, 16, 8, dtype=torch.float64))
    torch.testing.assert_close(found[~W.details()], torch.full((4,), math.sqrt(8.0) ** 3, dtype=torch.float64))
    assert float(found[W.details()].abs().max()) < 1e-12


def test_complex_is_two_reals_and_single_stays_single():
    W = Wavelet((9, 8), 2)
    x = torch.complex(_random(9, 8), _random(9, 8, seed=1))
    torch.testing.assert_close(W.apply(x), torch.complex(W.apply(x.real), W.apply(x.imag)))
    assert W.apply(x.to(torch.complex64)).dtype is torch.complex64
    assert W.apply(_random(9, 8, dtype=torch.float32)).dtype is torch.float32


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_what_is_no_wavelet_is_refused():
    assert _refusal(lambda: Wavelet((8, 8), 1, (0.5, 0.5))) == "GD-122"
    assert _refusal(lambda: Wavelet((8, 8), 1, (1.0, 0.0, 0.0))) == "GD-122"
    assert _refusal(lambda: Wavelet((8, 8), 0)) == "GD-101"
    assert _refusal(lambda: Wavelet((8, 4), 4)) == "GD-101"
    assert _refusal(lambda: daubechies(0)) == "GD-101"
    assert _refusal(lambda: symlet(21)) == "GD-101"
