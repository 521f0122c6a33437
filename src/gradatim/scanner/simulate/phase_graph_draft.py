"""The configurations that a sequence makes of magnetisation, followed forward for a few representative spins."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.scanner.simulate.phase_graph_stretch import Stretch


@dataclass(frozen=True, eq=False)
class Tissue:
    """What a few representative spins are, (r,) each.

    Args:
        t1: s.
        t2: s.
        offset: Hz.
        b1: relative.
    """

    t1: Tensor
    t2: Tensor
    offset: Tensor
    b1: Tensor

    def rotation(self, stretch: Stretch) -> Tensor:
        """What the pulse does to F₊, F₋ and Z, (3, 3, r)."""
        flip, turn = self.b1 * stretch.flip, complex(math.cos(stretch.phase), math.sin(stretch.phase))
        same, cross, sine = (flip / 2).cos().square() + 0j, (flip / 2).sin().square() * turn**2, flip.sin() * turn
        rows = [
            [same, cross, -1j * sine],
            [cross.conj(), same, 1j * sine.conj()],
            [-0.5j * sine.conj(), 0.5j * sine, flip.cos() + 0j],
        ]
        return torch.stack([torch.stack(row) for row in rows])

    def decay(self, stretch: Stretch) -> tuple[Tensor, Tensor]:
        """What is left of F and of Z at the stretch's end, (r,)."""
        return torch.exp(-stretch.duration / self.t2), torch.exp(-stretch.duration / self.t1)


@dataclass(frozen=True, eq=False)
class Draft:
    """The states of one stretch, and where each goes at its end.

    A state κ holds F₊ = F(κ), F₋ = F*(−κ) and Z(κ); of κ and −κ one stands for both. State 0 is κ = 0.

    Args:
        dephasing: κ and τ, (s, 4), 1/m and s, right after the pulse.
        before: |F₊, F₋, Z| before the pulse, (s, 3, r).
        after: and after it.
        source: (f,), what moves on, F₊ of all states and F₋ of all but 0: 2·state + (0 or 1).
        target: (f,), the state of the next stretch that it joins.
        mirrored: (f,), bool: it joins F₋ there.
        stored: (z,), states whose Z goes on.
        stored_target: (z,), where to.
    """

    dephasing: Tensor
    before: Tensor
    after: Tensor
    source: Tensor
    target: Tensor
    mirrored: Tensor
    stored: Tensor
    stored_target: Tensor


@dataclass(frozen=True, eq=False)
class Drafting:
    """Follows all states of a sequence forward: states of one dephasing become one, what is weak is left.

    Args:
        tissue: representatives.
        quanta: (4,), dephasings closer than this are the same, 1/m and s; inf for an axis that tells none apart.
        least: amplitude below which a state is left, of the equilibrium magnetisation.
        states: how many may be followed at a time.

    Raises:
        InputError: GD-836 (call) if there are more.
    """

    tissue: Tissue
    quanta: Tensor
    least: float
    states: int

    def __call__(self, stretches: list[Stretch]) -> list[Draft]:
        """One draft a stretch."""
        dephasing = torch.zeros(1, 4, dtype=torch.float64)
        values = torch.zeros(1, 3, len(self.tissue.t1), dtype=torch.complex128)
        values[:, 2] = 1.0
        drafts = []
        for stretch in stretches:
            before = values
            values = (self.tissue.rotation(stretch) * before[:, None]).sum(2)
            draft, dephasing, values = self._followed(stretch, dephasing, before, values)
            drafts.append(draft)
        return drafts

    def _followed(
        self, stretch: Stretch, dephasing: Tensor, before: Tensor, after: Tensor
    ) -> tuple[Draft, Tensor, Tensor]:
        """One stretch's draft, and the states and their values at its end."""
        source = torch.cat([2 * torch.arange(len(dephasing)), 2 * torch.arange(1, len(dephasing)) + 1])
        moving = torch.where(source % 2 == 1, -1.0, 1.0)[:, None] * dephasing[source // 2] + stretch.dephasing
        places, target, mirrored = self._merged(torch.cat([moving, dephasing]))
        moved, stayed, back = target[: len(source)], target[len(source) :], mirrored[: len(source)]
        across, along = self.tissue.decay(stretch)
        flows = after[source // 2, source % 2]
        turned = torch.polar(across, 2 * math.pi * self.tissue.offset * stretch.duration)
        flows = torch.where((source % 2 == 1)[:, None], flows.conj(), flows) * turned
        values = torch.zeros(len(places), 3, len(along), dtype=torch.complex128)
        values[:, 0].index_add_(0, moved[~back], flows[~back])
        values[:, 1].index_add_(0, moved[back], flows[back].conj().resolve_conj())
        values[:, 2].index_add_(0, stayed, after[:, 2] * along)
        values[0, 1] = values[0, 0].conj()
        values[0, 2] += 1.0 - along
        strong = values.abs().amax((1, 2)) >= self.least
        strong[0] = True
        number = _numbered(strong)
        if int(strong.sum()) > self.states:
            raise _too_many(int(strong.sum()), self.states)
        alive, kept = strong[moved], strong[stayed].nonzero().flatten()
        draft = Draft(
            dephasing=dephasing,
            before=before.abs(),
            after=after.abs(),
            source=source[alive],
            target=number[moved[alive]],
            mirrored=back[alive],
            stored=kept,
            stored_target=number[stayed[kept]],
        )
        return draft, places[strong], values[strong]

    def _merged(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Places without repetition, κ = 0 first; for each given one, which of them, and whether mirrored."""
        keys = torch.cat([torch.zeros(1, 4, dtype=torch.int64), (places / self.quanta).round().long()])
        first = (keys != 0).long().argmax(1)
        mirrored = keys.gather(1, first[:, None])[:, 0] < 0
        unique, index = torch.where(mirrored[:, None], -keys, keys).unique(dim=0, return_inverse=True)
        zero = int(index[0])
        order = torch.arange(len(unique))
        order = torch.where(order == zero, 0, torch.where(order < zero, order + 1, order))
        index, mirrored = order[index][1:], mirrored[1:]
        found = torch.zeros(len(unique), 4, dtype=torch.float64)
        found[index] = torch.where(mirrored[:, None], -places, places)
        found[0] = 0.0
        return found, index, mirrored


def _numbered(chosen: Tensor) -> Tensor:
    """The chosen ones counted from 0, −1 for the others."""
    return torch.where(chosen, chosen.long().cumsum(0) - 1, -1)


def _too_many(found: int, allowed: int) -> InputError:
    return InputError(
        "GD-836",
        given=f"{found} configuration states at a time",
        allowed=f"{allowed}",
        do="raise the threshold or the number of states, or simulate isochromats",
    )
