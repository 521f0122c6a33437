"""The gradient of all channels keeps the laws of linear operators."""

import pytest

from gradatim.base.errors import UsageError
from gradatim.linop.channels import ChannelGradient


@pytest.mark.parametrize(
    "operator", [ChannelGradient((3, 6, 5), (1.0, 0.5)), ChannelGradient((2, 4, 3, 5), (1.0, 2.0, 0.7))]
)
def test_laws(laws, operator: ChannelGradient) -> None:
    laws.linearity(operator)
    laws.adjointness(operator)
    laws.batch_is_a_loop(operator)
    laws.norm_is_a_bound(operator)


def test_shapes_must_fit() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        ChannelGradient((3, 6, 5), (1.0, 1.0, 1.0))
