"""Numbers tied by products: any one from the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.scanner.limits.limit import Number, real, require_positive

AGREE = 1e-6
"""Relative difference within which two statements of one number agree."""


@dataclass(frozen=True)
class Product:
    """The law Π xᵢ^pᵢ = constant.

    Args:
        powers: name → power, none of them 0.
        constant: what the product is.

    Example:
        >>> Product({"dwell": 1, "receiver_bandwidth": 1}).constant
        1.0
    """

    powers: Mapping[str, int]
    constant: float = 1.0


def completed(given: Mapping[str, Number | None], laws: Sequence[Product]) -> dict[str, Tensor]:
    """Every number that the laws give from those that are known; each is differentiable in what it came from.

    Args:
        given: name → number, None where it is not known.
        laws: the products that hold between them.

    Returns:
        Name → value of what is known in the end, float64.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite; GD-157 if two of them contradict each other.

    Example:
        >>> found = completed({"a": 2.0, "b": None}, [Product({"a": 1, "b": 1}, 6.0)])
        >>> found["b"].item()
        3.0
    """
    require_positive(given)
    known = {name: real(number) for name, number in given.items() if number is not None}
    found = True
    while found:
        found = False
        for law in laws:
            missing = [name for name in law.powers if name not in known]
            if len(missing) == 1:
                known[missing[0]] = _rest(law, known, missing[0])
                found = True
    for law in laws:
        if all(name in known for name in law.powers):
            _require_agreement(law, known, [name for name in law.powers if given.get(name) is not None])
    return known


def require_known(known: Mapping[str, Tensor], names: Sequence[str], *, do: str) -> None:
    """Refuse a design of which a needed number is still open.

    Args:
        known: what was found.
        names: what is needed.
        do: what to give instead.

    Raises:
        UsageError: GD-157 if one of them is missing.

    Example:
        >>> require_known({"a": torch.tensor(1.0)}, ["a"], do="give a")
    """
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(
            "GD-157",
            given=f"{', '.join(known) or 'nothing'}, from which {', '.join(missing)} cannot be found",
            allowed="as many numbers as the design has degrees of freedom",
            do=do,
        )


def _rest(law: Product, known: Mapping[str, Tensor], name: str) -> Tensor:
    product = real(law.constant)
    for other, power in law.powers.items():
        if other != name:
            product = product / known[other] ** power
    power = law.powers[name]
    return product if power == 1 else product ** (1 / power)


def _require_agreement(law: Product, known: Mapping[str, Tensor], stated: Sequence[str]) -> None:
    product = torch.ones((), dtype=torch.float64)
    for name, power in law.powers.items():
        product = product * known[name].detach() ** power
    if bool((product / law.constant - 1).abs().max() <= AGREE):
        return
    raise UsageError(
        "GD-157",
        given=", ".join(f"{name} {known[name].flatten()[0].item():.6g}" for name in law.powers)
        + ", which contradict each other",
        allowed="numbers that agree",
        do=f"leave out one of what was given{': ' + ', '.join(stated) if stated else ''}",
    )
