"""The configurations of magnetisation that matter to any sample of a sequence."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.scanner.simulate.phase_graph_draft import Draft, Drafting, Tissue
from gradatim.scanner.simulate.phase_graph_stretch import Stretch
from gradatim.scanner.simulate.voxel_shape import VoxelShape


@dataclass(frozen=True, eq=False)
class Layer:
    """The states between two pulses, and where each goes at the end of the stretch.

    A state κ holds F₊ = F(κ), F₋ = F*(−κ) and Z(κ); of κ and −κ one stands for both. State 0 is κ = 0.

    Args:
        dephasing: κ and τ, (s, 4), 1/m and s, right after the pulse.
        source: (f,), what moves on, F₊ of all states and F₋ of all but 0: 2·state + (0 or 1).
        target: (f,), the state of the next layer that it joins.
        mirrored: (f,), bool: it joins F₋ there.
        stored: (z,), the states whose Z goes on.
        stored_target: (z,), where to.
        heard: (h,), F₊ and F₋ that the samples of this stretch hear, 2·state + (0 or 1).
    """

    dephasing: Tensor
    source: Tensor
    target: Tensor
    mirrored: Tensor
    stored: Tensor
    stored_target: Tensor
    heard: Tensor


@dataclass(frozen=True, eq=False)
class LayersOf:
    """Finds the layers of a sequence for given tissues.

    Forward, all states are followed for representative tissues. Backward, the importance of each is the largest factor
    by which any later sample hears it. Size times importance, over the largest such product, decides what stays.

    Args:
        tissue: representatives.
        shape: of a voxel.
        size: of a voxel, m.
        quanta: (4,), dephasings closer than this are the same, 1/m and s.
        threshold: smallest contribution kept, over the largest of any state to any sample.
        states: how many may be followed at a time.

    Raises:
        InputError: GD-836 (call) if there are more.
    """

    tissue: Tissue
    shape: VoxelShape
    size: tuple[float, float, float]
    quanta: Tensor
    threshold: float
    states: int

    def __call__(self, stretches: list[Stretch]) -> list[Layer]:
        """The layers of a sequence, one a stretch."""
        coarse = Drafting(self.tissue, self.quanta, 10 * self.threshold, self.states)(stretches)
        heard = [self._heard(stretch, draft) for stretch, draft in zip(stretches, coarse, strict=True)]
        loudest = max((float((h * d.after[:, :2]).max()) for h, d in zip(heard, coarse, strict=True)), default=0.0)
        least = self.threshold * loudest
        return self._kept(stretches, Drafting(self.tissue, self.quanta, least, self.states)(stretches), least)

    def _heard(self, stretch: Stretch, draft: Draft) -> Tensor:
        """How the samples of a stretch hear F₊ and F₋ at most, (s, 2, r), relative to their size after the pulse."""
        found = torch.zeros(len(draft.dephasing), 2, len(self.tissue.t1), dtype=torch.float64)
        if len(stretch.samples):
            decay = torch.exp(-stretch.samples[:, 3] / self.tissue.t2[:, None])
            for side, sign in enumerate((1.0, -1.0)):
                k = sign * draft.dephasing[:, None, :3] + stretch.samples[:, :3]
                found[:, side] = (self.shape.seen(k, self.size).abs()[:, None] * decay).amax(-1)
            found[0, 1] = 0.0
        return found

    def _kept(self, stretches: list[Stretch], drafts: list[Draft], least: float) -> list[Layer]:
        """Layers without the states that no sample will hear."""
        layers: list[Layer] = []
        later = torch.zeros(0, 3, len(self.tissue.t1), dtype=torch.float64)
        following = torch.zeros(0, dtype=torch.bool)
        for stretch, draft in zip(reversed(stretches), reversed(drafts), strict=True):
            heard = self._heard(stretch, draft)
            weight = self._weight(stretch, draft, heard, later)
            earlier = (self.tissue.rotation(stretch).abs() * weight[:, :, None]).amax(1)
            matters = (draft.before * earlier).amax((1, 2)) >= least
            matters |= (draft.after * weight).amax((1, 2)) >= least
            matters[0] = True
            loud = (draft.after[:, :2] * heard).amax(2)
            layers.append(_without(draft, matters, following, (loud >= least) & (loud > 0)))
            later, following = earlier, matters
        return layers[::-1]

    def _weight(self, stretch: Stretch, draft: Draft, heard: Tensor, later: Tensor) -> Tensor:
        """How any sample from this stretch on hears F₊, F₋ and Z at most, (s, 3, r), relative to their size."""
        weight = torch.cat([heard, torch.zeros_like(heard[:, :1])], 1)
        if len(later):
            across, along = self.tissue.decay(stretch)
            flat = weight.flatten(0, 1)
            moves, stays = 3 * (draft.source // 2) + draft.source % 2, 3 * draft.stored + 2
            flat[moves] = torch.maximum(flat[moves], later[draft.target, draft.mirrored.long()] * across)
            flat[stays] = later[draft.stored_target, 2] * along
            weight = flat.unflatten(0, (-1, 3))
        return weight


def _without(draft: Draft, matters: Tensor, following: Tensor, loud: Tensor) -> Layer:
    """A draft without the states that do not matter, here and in the following one, and which of it are loud."""
    number = matters.long().cumsum(0) - 1
    goes = torch.zeros_like(draft.source, dtype=torch.bool)
    stays = torch.zeros_like(draft.stored, dtype=torch.bool)
    after = number
    if len(following):
        after = following.long().cumsum(0) - 1
        goes = matters[draft.source // 2] & following[draft.target]
        stays = matters[draft.stored] & following[draft.stored_target]
    state, side = (loud & matters[:, None]).nonzero().T
    return Layer(
        dephasing=draft.dephasing[matters],
        source=2 * number[draft.source[goes] // 2] + draft.source[goes] % 2,
        target=after[draft.target[goes]],
        mirrored=draft.mirrored[goes],
        stored=number[draft.stored[stays]],
        stored_target=after[draft.stored_target[stays]],
        heard=2 * number[state] + side,
    )
