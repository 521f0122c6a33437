"""A network's parameters as one vector, so that every method of this floor can train it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gradatim.base.errors import UsageError
from gradatim.solve.gradient_watch import GradientWatch


@dataclass(frozen=True, eq=False)
class ParameterVector:
    """The parameters of a module as a flat θ, and the module as a function of θ.

    The module itself is not changed; its buffers are used as they are. Frozen parameters (``requires_grad``
    False) stay out of θ.

    Args:
        module: the network.

    Raises:
        UsageError: GD-103 if the network has no trainable parameter or θ is not of their number.

    Example:
        >>> line = ParameterVector(nn.Linear(2, 1))
        >>> line.names, line.sizes
        (('weight', 'bias'), (2, 1))
        >>> line.apply(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[10.0, 100.0]])).tolist()
        [[213.0]]
    """

    module: nn.Module

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("GD-103", given="a network without parameters", allowed="at least one", do="unfreeze it")

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each parameter tensor."""
        return tuple(self._parameters)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers in each parameter tensor."""
        return tuple(each.numel() for each in self._parameters.values())

    @property
    def start(self) -> Tensor:
        """θ as the module holds it now, a copy."""
        return torch.cat([each.detach().reshape(-1) for each in self._parameters.values()])

    def watch(self, *, largest: float = float("inf")) -> GradientWatch:
        """A watch over the gradient of each parameter tensor that clips at ``largest``."""
        return GradientWatch(self.names, self.sizes, largest)

    def named(self, theta: Tensor) -> dict[str, Tensor]:
        """θ cut into the parameter tensors, differentiable; ``module.load_state_dict(..., strict=False)`` takes it."""
        if theta.shape != (sum(self.sizes),):
            raise UsageError(
                "GD-103",
                given=f"θ of shape {tuple(theta.shape)}",
                allowed=f"a vector of {sum(self.sizes)} numbers",
                do="begin with .start",
            )
        pieces = zip(self._parameters.items(), theta.split(self.sizes), strict=True)
        return {name: piece.view(each.shape) for (name, each), piece in pieces}

    def apply(self, theta: Tensor, *inputs: Tensor) -> Tensor:
        """The module's output for these parameters, differentiable in θ and the inputs."""
        found: Tensor = functional_call(self.module, self.named(theta), inputs)
        return found

    @property
    def _parameters(self) -> dict[str, nn.Parameter]:
        return {name: each for name, each in self.module.named_parameters() if each.requires_grad}
