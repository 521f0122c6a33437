"""A matrix as an operator keeps every law."""

from types import ModuleType

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.matrix import Matrix

REAL = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
COMPLEX = torch.complex(REAL, REAL.flip(0))


@pytest.mark.parametrize("values", [REAL, COMPLEX, REAL.float()])
@pytest.mark.parametrize(
    "law", ["linearity", "adjointness", "batch_is_a_loop", "norm_is_a_bound", "first_gradient", "double_backward"]
)
def test_law(law: str, values: torch.Tensor, laws: ModuleType) -> None:
    getattr(laws, law)(Matrix(values))


def test_the_norm_is_the_largest_singular_value() -> None:
    assert Matrix(REAL).norm() == pytest.approx(float(torch.linalg.matrix_norm(REAL, 2)), rel=1e-3)


def test_another_number_of_axes_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        Matrix(torch.ones(3))
