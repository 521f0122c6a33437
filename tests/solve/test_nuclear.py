"""The nuclear norm beyond the laws: low rank, and derivatives where those of the singular vectors do not exist."""

import torch

from gradatim.solve.nuclear import Nuclear


def _random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_singular_values_are_shortened_and_vectors_kept():
    v = _random(3, 6, 4)
    found = Nuclear(0.5).prox(v, 2.0)
    torch.testing.assert_close(torch.linalg.svdvals(found), (torch.linalg.svdvals(v) - 1.0).clamp_min(0.0))
    torch.testing.assert_close(v.mH @ found, found.mH @ v)  # a common basis
    assert [int(torch.linalg.matrix_rank(m)) for m in found] == [int((torch.linalg.svdvals(m) > 1.0).sum()) for m in v]


def test_a_low_rank_film_comes_out_of_noise():
    clean = _random(60, 2, seed=1) @ _random(2, 40, seed=2)
    noisy = clean + 0.1 * _random(60, 40, seed=3)
    edge = 0.1 * (60**0.5 + 40**0.5)  # the largest singular value of the noise
    found = Nuclear(1.0).prox(noisy, 1.05 * edge)
    assert int(torch.linalg.matrix_rank(found)) == 2
    assert (found - clean).norm() < 0.55 * (noisy - clean).norm()


def test_prox_is_differentiable_where_singular_values_coincide_or_vanish():
    turn, _ = torch.linalg.qr(_random(4, 4, seed=4))
    for sizes in ([2.0, 2.0, 0.4, 0.4], [2.0, 2.0, 0.0, 0.0], [3.0, 1.9, 0.3, 0.0]):
        v = (turn @ torch.diag(torch.tensor(sizes, dtype=torch.float64)) @ turn.roll(1, 0)).requires_grad_()
        for part in (v, v[:3], v[:, :3]):
            given = part.detach().requires_grad_()
            assert torch.autograd.gradcheck(lambda m: Nuclear(1.0).prox(m, 1.0), (given,))
    wide = torch.complex(_random(2, 4, seed=5), _random(2, 4, seed=6)).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: Nuclear(0.3).prox(m, 1.0), (wide,))


def test_each_matrix_of_a_batch_may_have_its_weight():
    v, w = _random(5, 3, 4, seed=7), _random(5, seed=8).abs()
    each = torch.stack([Nuclear(float(w[i])).prox(v[i], 0.7) for i in range(5)])
    torch.testing.assert_close(Nuclear(w).prox(v, 0.7), each)


def test_dual_points_of_large_matrices_are_inside_in_single_precision():
    p = 1e4 * _random(2, 120, 80, seed=9, dtype=torch.float32)
    assert Nuclear(0.3).conjugate(Nuclear(0.3).dual_point(p)) == 0
    assert Nuclear(0.3).conjugate(p) == torch.inf
