import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.linop.polyphase import convolve_by_phases, phase_kernels, phase_sums
from gradatim.linop.strides import output_padding_for, transposed_size
from gradatim.linop.transposed import TransposedConvolution, convolve_strided, convolve_transposed

TORCH = {
    1: torch.nn.functional.conv_transpose1d,
    2: torch.nn.functional.conv_transpose2d,
    3: torch.nn.functional.conv_transpose3d,
}


def _random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _allowed(n, k, s, p, q, d):
    return q < max(s, d) and (n - 1) * s - 2 * p + d * (k - 1) + q + 1 >= 1


EVERY = [
    (n, k, s, p, q, d)
    for n, k, s, p, q, d in itertools.product((1, 4), range(1, 7), range(1, 5), range(3), (0, 1, 3), (1, 2, 3))
    if _allowed(n, k, s, p, q, d)
]


@pytest.mark.parametrize("form", [convolve_transposed, convolve_by_phases])
def test_one_dimension_equals_torch_for_every_kernel_stride_padding_and_dilation(form):
    assert len(EVERY) > 800
    for n, k, s, p, q, d in EVERY:
        x, w = _random(1, 2, n), _random(2, 1, k, seed=1)
        numbers = {"stride": s, "padding": p, "output_padding": q, "dilation": d}
        wanted, found = TORCH[1](x, w, **numbers), form(x, w, **numbers)
        assert found.shape == wanted.shape, numbers
        assert float((found - wanted).abs().max()) < 1e-12, (n, k, numbers)


LIMITS = ((1, 5), (1, 5), (1, 4), (0, 3), (0, 3), (1, 3))
"""Of size, kernel, stride, padding, output padding and dilation."""


@st.composite
def _cases(draw):
    axes = draw(st.integers(2, 3))
    small = [
        draw(st.tuples(*(st.integers(low, high) for low, high in LIMITS)).filter(lambda case: _allowed(*case)))
        for _ in range(axes)
    ]
    channels = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return channels, [tuple(column) for column in zip(*small, strict=True)]


@pytest.mark.parametrize("form", [convolve_transposed, convolve_by_phases])
@settings(max_examples=40)
@given(case=_cases())
def test_planes_and_volumes_equal_torch_with_numbers_of_their_own_on_each_axis(form, case):
    (inner, outer), (n, k, s, p, q, d) = case
    x, w = _random(2, inner, *n), _random(inner, outer, *k, seed=1)
    numbers = {"stride": s, "padding": p, "output_padding": q, "dilation": d}
    wanted = TORCH[len(n)](x, w, **numbers)
    torch.testing.assert_close(form(x, w, **numbers), wanted, rtol=0, atol=1e-12)
    back = convolve_strided(wanted, w, shape=n, stride=s, padding=p, dilation=d)
    left, right = torch.sum(wanted * wanted), torch.sum(x * back)
    assert float((left - right).abs()) <= 1e-12 * max(float(left), 1.0)


@pytest.mark.parametrize("form", [convolve_transposed, convolve_by_phases])
def test_single_precision_equals_torch_to_a_millionth(form):
    x, w = _random(1, 8, 9, 7, dtype=torch.float32), _random(8, 4, 4, 3, seed=1, dtype=torch.float32)
    wanted = TORCH[2](x, w, stride=2, padding=1)
    assert float((form(x, w, stride=2, padding=1) - wanted).abs().max() / wanted.abs().max()) < 1e-6


def test_complex_is_two_reals():
    x, w = torch.complex(_random(1, 2, 5), _random(1, 2, 5, seed=2)), _random(2, 1, 4, seed=1)
    found = convolve_transposed(x, w, stride=2)
    torch.testing.assert_close(found.real, TORCH[1](x.real, w, stride=2))
    torch.testing.assert_close(found.imag, TORCH[1](x.imag, w, stride=2))


@pytest.mark.parametrize(("k", "p", "q"), [(4, 1, 0), (2, 0, 0), (3, 1, 1), (6, 2, 0)])
def test_these_double_exactly(k, p, q):
    for n in range(1, 40):
        assert transposed_size(n, k, stride=2, padding=p, output_padding=q) == 2 * n
        assert convolve_transposed(
            torch.ones(1, 1, n), torch.ones(1, 1, k), stride=2, padding=p, output_padding=q
        ).shape[-1] == 2 * n  # fmt: skip


def test_output_padding_reaches_every_size_that_strided_convolution_maps_back():
    for k, s, d, target in itertools.product(range(1, 8), range(1, 6), (1, 2), range(1, 14)):
        p = d * (k - 1) // 2
        n = (target + 2 * p - d * (k - 1) - 1) // s + 1
        if n < 1:
            continue
        q = output_padding_for(n, target, k, stride=s, padding=p, dilation=d)
        assert transposed_size(n, k, stride=s, padding=p, output_padding=q, dilation=d) == target


def test_coverage_differs_by_ceil_minus_floor():
    """Interior outputs get ⌊k/s⌋ or ⌈k/s⌉ contributions; in d dimensions these multiply."""
    for k, s in itertools.product(range(1, 14), range(1, 8)):
        counts = convolve_transposed(torch.ones(1, 1, 60), torch.ones(1, 1, k), stride=s)[0, 0, k:-k]
        assert counts.max() - counts.min() == -(-k // s) - k // s
        assert {*phase_sums(torch.ones(1, 1, k), stride=s).flatten().tolist()} == {*counts.tolist()}


def test_sub_kernels_are_every_sth_tap():
    w = _random(2, 3, 7, 5)
    phases = phase_kernels(w, stride=(3, 2))
    assert phases.shape == (2, 3, 3, 2, 3, 3)
    for r, t in itertools.product(range(3), range(2)):
        part = w[:, :, r::3, t::2]
        torch.testing.assert_close(phases[:, :, r, t, : part.shape[2], : part.shape[3]], part)
    torch.testing.assert_close(phases.sum(), w.sum())


def test_a_flat_field_stays_flat_only_with_equal_phase_sums():
    """s | k makes the number of taps equal, not their sums."""
    flat = torch.ones(1, 1, 20, dtype=torch.float64)
    random = _random(1, 1, 4)
    uneven = convolve_transposed(flat, random, stride=2)[0, 0, 6:-6]
    assert float(uneven.std()) > 0.1
    linear = torch.tensor([[[0.25, 0.75, 0.75, 0.25]]], dtype=torch.float64)
    torch.testing.assert_close(convolve_transposed(flat, linear, stride=2)[0, 0, 6:-6], flat[0, 0, :1].expand(30))


def test_total_is_the_product_of_the_totals_until_something_is_cropped():
    x, w = _random(1, 1, 7).abs(), _random(1, 1, 5).abs()
    assert convolve_transposed(x, w, stride=2).sum().item() == pytest.approx((x.sum() * w.sum()).item(), rel=1e-14)
    assert convolve_transposed(x, w, stride=2, padding=1).sum() < x.sum() * w.sum()


@pytest.mark.parametrize(
    ("kernel", "numbers"),
    [
        (_random(4), {"stride": 2, "padding": 1}),
        (_random(2, 3, 3, 3), {"stride": 2, "padding": 1, "output_padding": (1, 0)}),
        (_random(2, 1, 3, 2, 2), {"stride": (1, 2, 3), "dilation": (2, 1, 1)}),
    ],
)
def test_gradients_flow_to_the_kernel_in_both_directions(kernel, numbers):
    shape = (3,) if kernel.ndim == 1 else (3, 4, 2)[: kernel.ndim - 2]
    A = TransposedConvolution(kernel, shape, **numbers)
    x, y = _random(2, *A.domain_shape), _random(2, *A.codomain_shape)
    leaf = kernel.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda w: TransposedConvolution(w, shape, **numbers).apply(x), (leaf,), fast_mode=True
    )
    assert torch.autograd.gradcheck(
        lambda w: TransposedConvolution(w, shape, **numbers).adjoint(y), (leaf,), fast_mode=True
    )


def test_norm_of_block_copies_is_the_root_of_the_block():
    copies = TransposedConvolution(torch.ones(3, 2), (4, 5), stride=(3, 2))
    assert copies.norm() == pytest.approx(6**0.5, rel=1e-6)
    assert 6**0.5 <= copies.norm_bound() <= 1.06 * 6**0.5


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_impossible_numbers_are_refused_with_the_rule():
    with pytest.raises(UsageError, match=r"GD-120: size 1, kernel 2, stride 2, padding 1.*output size 0"):
        transposed_size(1, 2, stride=2, padding=1)
    assert _refusal(lambda: transposed_size(4, 3, stride=2, output_padding=2)) == "GD-120"
    assert _refusal(lambda: transposed_size(4, 3, stride=0)) == "GD-120"
    assert _refusal(lambda: transposed_size(4, 3, padding=-1)) == "GD-120"
    assert _refusal(lambda: output_padding_for(4, 9, 3, stride=2, padding=1)) == "GD-120"
    assert _refusal(lambda: convolve_transposed(torch.ones(1, 2, 3), torch.ones(1, 1, 2))) == "GD-103"
    assert _refusal(lambda: convolve_transposed(torch.ones(1, 1, 3), torch.ones(1, 1, 2), stride=(1, 2))) == "GD-103"
    assert _refusal(lambda: convolve_by_phases(torch.ones(1, 1), torch.ones(1, 1))) == "GD-121"
    assert _refusal(lambda: TransposedConvolution(torch.ones(1, 2), (4, 4, 4))) == "GD-103"
