"""What a perturbation is, and chains of them."""

import hashlib
import itertools
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.base.seeds import generator


class Perturbation(Protocol):
    """Anything that changes an image and its regions as repeating a scan, or a drawing, might.

    A frozen dataclass, so that its name and fields stand in the table.
    """

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """Image and regions after it, on one grid, which may be another than before."""


Chain = tuple[Perturbation, ...]


def every_chain(*choices: tuple[Perturbation, ...]) -> tuple[Chain, ...]:
    """Chains that take one of each choice, in their order: 2 angles and 3 shifts make 6 chains.

    Args:
        choices: for each step, the perturbations to choose from.

    Raises:
        UsageError: GD-147 if a choice is empty.

    Example:
        >>> from gradatim.radiomics.robustness.move import Rotate, Shift
        >>> len(every_chain((Rotate(-5.0), Rotate(5.0)), (Shift((0.25, 0.0, 0.0)), Shift((0.0, 0.25, 0.0)))))
        4
    """
    if not choices or not all(choices):
        raise UsageError(
            "GD-147",
            given=f"choices of {[len(choice) for choice in choices]} perturbations",
            allowed="one or more for each step",
            do="leave the empty step out",
        )
    return tuple(itertools.product(*choices))


def stream(seed: int, values: Tensor) -> torch.Generator:
    """Random numbers that depend on a seed and on what they are for.

    Two subjects must not share a pattern of noise, or it would pass for agreement between them; the same call must
    give the same numbers, on any machine. So the seed, which stands in the table, is combined with the content of the
    tensor (sha256).

    Args:
        seed: an integer.
        values: what will be changed, of any type.

    Example:
        >>> a, b = torch.zeros(3), torch.ones(3)
        >>> draws = [float(torch.rand((), generator=stream(1, values))) for values in (a, a, b)]
        >>> draws[0] == draws[1], draws[0] == draws[2]
        (True, False)
    """
    digest = hashlib.sha256(str(seed).encode())
    digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return generator(int.from_bytes(digest.digest()[:8], "little") >> 1)
