"""Rotation invariance: a filter at every turn of the grid, pooled."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from gradatim.radiomics.filters.arguments import floating
from gradatim.radiomics.filters.boundary import Boundary
from gradatim.radiomics.filters.pooling import Average, Pooling
from gradatim.radiomics.filters.rotations import Rotations, Triple, Turn
from gradatim.radiomics.filters.stencil import Product, Stencil
from gradatim.radiomics.preparation import Response

Term = tuple[Stencil, ...]

NOTHING = Stencil((1.0,), 0)
"""Leaves its axis as it is."""


@dataclass(frozen=True)
class Pooled:
    """A filter made invariant to turns by right angles: its responses at every turn, pooled voxel by voxel.

    h(x) = pool over R of R⁻¹·f(R·x). Where the filter is a product of stencils, equal and opposite turns are
    computed once, turns share the axes that they have in common, and a mean is taken of stencils before
    anything is filtered: the result is the same. Source: IBSI 2 reference manual, arXiv:2006.05470,
    "Rotation invariance" (O1AQ).

    Args:
        filter: what is turned.
        over: the turns: :class:`~gradatim.radiomics.filters.rotations.SpaceRotations` of a filter in three
            dimensions, :class:`~gradatim.radiomics.filters.rotations.PlaneRotations` of one in two.
        by: how the responses become one.

    Example:
        >>> import torch
        >>> from gradatim.radiomics.filters.laws import LawsKernels
        >>> from gradatim.radiomics.filters.pooling import Maximum
        >>> from gradatim.radiomics.filters.rotations import SpaceRotations
        >>> pooled, x = Pooled(LawsKernels("L5E5E5"), over=SpaceRotations(), by=Maximum()), torch.randn(6, 6, 6)
        >>> one, other = (pooled(v, spacing=(1.0, 1.0, 1.0)) for v in (x, x.transpose(0, 1).flip(0)))
        >>> torch.allclose(one.transpose(0, 1).flip(0), other, atol=1e-5)
        True
    """

    filter: Response
    over: Rotations
    by: Pooling

    def __call__(self, values: Tensor, *, spacing: Triple) -> Tensor:
        """The pooled response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        image, turns = floating(values), self.over.turns
        if isinstance(self.filter, Product):
            terms = [_turned(self.filter.stencils, turn) for turn in turns]
            if isinstance(self.by, Average):
                terms = _merged(terms)
            return self.by(_responses(image, _unsigned(terms), self.filter.boundary))
        return self.by(turn.undo(self.filter(turn.apply(image), spacing=turn.spacing(spacing))) for turn in turns)


def _turned(stencils: tuple[Stencil, ...], turn: Turn) -> Term:
    """The stencil along each of the image's own axes, of a filter that sees the image turned."""
    whole = (*stencils, *(NOTHING,) * (3 - len(stencils)))
    term = [NOTHING] * 3
    for new, old in enumerate(turn.axes):
        term[old] = whole[new].mirrored if new in turn.backwards else whole[new]
    return tuple(term)


def _merged(terms: list[Term]) -> list[Term]:
    """Products with the same mean: those that differ along one axis only become one, axis by axis."""
    merged = [(*term[:2], term[2].times(1.0 / len(terms))) for term in terms]
    for axis in (2, 1, 0):
        groups: dict[Term, list[Stencil]] = {}
        for term in merged:
            groups.setdefault((*term[:axis], *term[axis + 1 :]), []).append(term[axis])
        merged = [
            (*others[:axis], functools.reduce(Stencil.plus, sorted(along, key=_order)), *others[axis:])
            for others, along in groups.items()
        ]
    return [(*term[:2], term[2].times(len(merged))) for term in merged]


def _unsigned(terms: list[Term]) -> dict[Term, set[int]]:
    """The products whose stencils begin with a tap above 0, and with which signs each of them occurs."""
    found: dict[Term, set[int]] = {}
    for term in terms:
        signs = [-1 if next(filter(None, stencil.taps), 1.0) < 0 else 1 for stencil in term]
        plain = tuple(stencil.times(sign) for stencil, sign in zip(term, signs, strict=True))
        found.setdefault(plain, set()).add(math.prod(signs))
    return found


def _responses(values: Tensor, terms: dict[Term, set[int]], boundary: Boundary, *, axis: int = 0) -> Iterator[Tensor]:
    """The response to each product, one after the other; what they share along the first axes is done once."""
    if axis == 3:
        for sign in set().union(*terms.values()):
            yield values if sign > 0 else -values
        return
    groups: dict[Stencil, dict[Term, set[int]]] = {}
    for term, signs in terms.items():
        groups.setdefault(term[axis], {})[term] = signs
    for stencil, those in groups.items():
        filtered = values if stencil == NOTHING else stencil.along(values, axis=axis, boundary=boundary)
        yield from _responses(filtered, those, boundary, axis=axis + 1)


def _order(item: Stencil) -> tuple[int, tuple[float, ...]]:
    return item.first, item.taps
