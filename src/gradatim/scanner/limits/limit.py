"""What a limit is: a value, what binds it, how it moves with each limit of the hardware, and a sentence about it."""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.scanner.system import System

Number = float | Tensor
"""A parameter of a closed form: a float, or a float64 tensor through which gradients flow."""


class Constraint(enum.Enum):
    """What stops a design from being shorter, thinner or faster; the value is its name, as files have it."""

    SLEW = "slew"
    """Only the slew rate: the gradient never reaches its maximum, so that more of it gives nothing."""
    AMPLITUDE = "amplitude"
    """The gradient stands at its maximum; where there are ramps, the slew rate counts as well."""
    RECEIVER = "receiver"
    """The shortest dwell time of the receiver."""
    DEAD_TIME = "dead time"
    """The dead times of transmitter and receiver."""
    STIMULATION = "stimulation"
    """The share of a limit of nerve stimulation that was allowed; an estimate, no clearance."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number with its unit.

    Args:
        value: (), float64.
        unit: SI: ``"s"``, ``"T/m"``, ``"Hz"`` ...; empty for a pure number.

    Example:
        >>> f"{Quantity(torch.tensor(0.04), 'T/m').value.item():.2f}"
        '0.04'
    """

    value: Tensor
    unit: str


@dataclass(frozen=True, eq=False)
class Limit:
    """The best that a gradient system can do, and why not better.

    Args:
        name: what was asked, e.g. ``"echo_spacing"``.
        value: the answer in real numbers, (), float64; carries gradients to what was given as a tensor.
        unit: of the value, SI.
        binding: what stops it.
        reason: a sentence for a person.
        sensitivity: name of a limit or of a number of the protocol → derivative of the value with respect to it, SI.
        elasticity: the same names → per cent of the value for one per cent of it.
        details: name → what else follows from the design.
        rastered: the value as the scanner's clock allows it, checked again; None where no clock has a part in it.

    Example:
        >>> nothing = {}
        >>> Limit("thickness", torch.tensor(6e-4), "m", Constraint.AMPLITUDE, "", nothing, nothing).binding.value
        'amplitude'
    """

    name: str
    value: Tensor
    unit: str
    binding: Constraint
    reason: str
    sensitivity: Mapping[str, float]
    elasticity: Mapping[str, float]
    details: Mapping[str, Quantity] = field(default_factory=dict)
    rastered: float | None = None


class Design(Protocol):
    """A design whose best value has a closed form; every one is a frozen dataclass of its protocol's numbers.

    All closed forms act elementwise, so that a grid of limits is one call.
    """

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The best value in real numbers, before any clock, differentiable in all that is a tensor."""
        ...

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where only the slew rate binds, bool."""
        ...

    def __call__(self, system: System) -> Limit:
        """The best value on a system, with what binds it."""
        ...


def real(number: Number) -> Tensor:
    """A number as a float64 tensor that keeps its graph.

    Example:
        >>> real(0.1).item()
        0.1
    """
    return torch.as_tensor(number, dtype=torch.float64)


def require_positive(given: Mapping[str, Number | None], *, zero: tuple[str, ...] = ()) -> None:
    """Refuse numbers that no protocol has.

    Args:
        given: name → number; None passes, as what is not known.
        zero: names for which 0 is allowed.

    Raises:
        UsageError: GD-101 for one that is not finite, or not positive.

    Example:
        >>> require_positive({"fov": 0.22, "matrix": None})
    """
    for name, number in given.items():
        if number is None:
            continue
        values = real(number).detach()
        if bool(torch.isfinite(values).all() & ((values > 0) | ((values == 0) & (name in zero))).all()):
            continue
        shown = values.item() if values.ndim == 0 else f"{values.min().item()} to {values.max().item()}"
        raise UsageError(
            "GD-101",
            given=f"{name} {shown}",
            allowed="finite numbers of 0 or more" if name in zero else "finite numbers above 0",
            do=f"correct {name}; lengths are in m, times in s, gradients in T/m, slew rates in T/(m·s)",
        )


def derivatives(
    design: Any, system: System, *, names: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, float], Tensor]:
    """How a design's value moves with the limits and with numbers of its protocol, exactly, by reverse mode in float64.

    Args:
        design: a :class:`Design`.
        system: the limits.
        names: those of its fields that count; one that is None is left out.

    Returns:
        Sensitivities dv/dp, elasticities (p/v)·dv/dp, and v itself, which keeps the graph of the design's own tensors.

    Raises:
        UsageError: GD-101 if the value is not finite; GD-103 if the design holds more than single numbers.
    """
    known = [name for name in names if getattr(design, name) is not None]
    leaves = {name: real(getattr(design, name)).detach().clone().requires_grad_() for name in known}
    hardware = {
        name: torch.tensor(getattr(system, name), dtype=torch.float64, requires_grad=True)
        for name in ("max_gradient", "max_slew")
    }
    with torch.enable_grad():
        value = replace(design, **leaves).continuous(*hardware.values())
    if value.ndim:
        raise UsageError(
            "GD-103",
            given=f"a protocol of shape {tuple(value.shape)}",
            allowed="single numbers",
            do="ask for continuous(max_gradient, max_slew), which acts elementwise, or for one protocol at a time",
        )
    if not math.isfinite(value.item()):
        raise UsageError(
            "GD-101",
            given=f"numbers whose answer is {value.item()}",
            allowed="a protocol that a scanner could play",
            do="check the units: lengths are in m, times in s",
        )
    parameters = {**hardware, **leaves}
    found = torch.autograd.grad(value, list(parameters.values()), allow_unused=True)
    slopes = {n: 0.0 if g is None else g.item() + 0.0 for n, g in zip(parameters, found, strict=True)}  # no −0
    relative = {name: slope * parameters[name].item() / value.item() for name, slope in slopes.items()}
    return slopes, relative, design.continuous(system.max_gradient, system.max_slew)
