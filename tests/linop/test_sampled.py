import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.fourier import CentredFourier, Fourier
from gradatim.linop.sampled import SampledFourier
from tests.linop.test_fourier import matrix


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


MASK = torch.rand(4, 3, generator=torch.Generator().manual_seed(1)) > 0.4


@pytest.mark.parametrize("kind", [Fourier, CentredFourier])
def test_equals_its_matrix_stacked_over_coils(kind):
    F, coils, x = kind((4, 3)), _random(5, 4, 3, seed=2), _random(4, 3)
    A = SampledFourier(F, MASK, coils)
    keep = MASK.flatten().to(torch.complex128).diag()
    stacked = torch.cat([keep @ matrix(F) @ coil.flatten().diag() for coil in coils])
    torch.testing.assert_close(A.apply(x).flatten(), stacked @ x.flatten(), rtol=0, atol=1e-13)
    y = _random(5, 4, 3, seed=3)
    torch.testing.assert_close(A.adjoint(y).flatten(), stacked.mH @ y.flatten(), rtol=0, atol=1e-12)
    norm = float(torch.linalg.matrix_norm(stacked, 2))
    assert norm <= A.norm_bound() == pytest.approx(float(coils.abs().square().sum(0).max().sqrt()))


def test_full_sampling_with_coils_of_unit_sum_of_squares_is_an_isometry():
    coils = _random(3, 6, 5)
    coils = coils / coils.abs().square().sum(0).sqrt()
    A = SampledFourier(CentredFourier((6, 5)), torch.ones(1, 1, dtype=torch.bool), coils)
    x = _random(6, 5, seed=4)
    torch.testing.assert_close(A.adjoint(A.apply(x)), x, rtol=0, atol=1e-13)
    assert A.norm_bound() == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("kind", [Fourier, CentredFourier])
def test_without_coils_the_gram_operator_is_the_mask_in_k_space(kind):
    F, x = kind((4, 3)), _random(2, 4, 3)
    A = SampledFourier(F, MASK)
    by_symbol = F.adjoint(A.gram_symbol(x) * F.apply(x))
    torch.testing.assert_close(by_symbol, A.adjoint(A.apply(x)), rtol=0, atol=1e-13)
    assert A.norm_bound() == 1.0
    assert A.norm() == pytest.approx(1.0, rel=1e-6)


def test_a_line_stands_for_lines_read_in_full():
    lines = torch.tensor([[True], [False], [True], [True]])
    short, long = SampledFourier(Fourier((4, 3)), lines), SampledFourier(Fourier((4, 3)), lines.expand(4, 3))
    x = _random(4, 3)
    torch.testing.assert_close(short.apply(x), long.apply(x))
    assert short.sampled_fraction == long.sampled_fraction == 0.75
    assert float(short.apply(x)[1].abs().max()) == 0.0
    assert SampledFourier(Fourier((4, 3)), torch.zeros(4, 3, dtype=torch.bool)).norm_bound() == 0.0


def test_gradients_flow_to_the_coils():
    coils = _random(2, 3, 2, seed=2).requires_grad_()
    mask, x, y = MASK[:3, :2], _random(3, 2), _random(2, 3, 2)
    F = CentredFourier((3, 2))
    assert torch.autograd.gradcheck(lambda s: SampledFourier(F, mask, s).apply(x), (coils,))
    assert torch.autograd.gradcheck(lambda s: SampledFourier(F, mask, s).adjoint(y), (coils,))


def test_nan_where_nothing_was_sampled_does_not_spread():
    A = SampledFourier(Fourier((4, 3)), MASK)
    y = torch.where(MASK, _random(4, 3), float("nan"))
    assert bool(torch.isfinite(torch.view_as_real(A.adjoint(y))).all())


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_what_does_not_fit_is_refused():
    F = Fourier((4, 3))
    assert _refusal(lambda: SampledFourier(F, torch.ones(4, 3))) == "GD-101"
    assert _refusal(lambda: SampledFourier(F, torch.ones(3, 4, dtype=torch.bool))) == "GD-103"
    assert _refusal(lambda: SampledFourier(F, MASK, _random(2, 3, 4))) == "GD-103"
    assert _refusal(lambda: SampledFourier(F, MASK, _random(2, 4, 3)).gram_symbol(torch.ones(1))) == "GD-104"
