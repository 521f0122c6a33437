"""Images from undersampled k-space by compressed sensing, with the weight of the prior chosen in the same call."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.mri.coil_splitting import CoilSplitting, SplittingState
from gradatim.restore.mri.held_out import HeldOut
from gradatim.restore.mri.kspace import KSpace
from gradatim.restore.mri.sparsity import CosineSparsity, Sparsity
from gradatim.solve.criterion import Choice
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.drive import drive
from gradatim.solve.function import Function
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, StoppingRule

PENALTY = 20.0
"""ρ over λ/max|x|: thresholds move by a twentieth of the largest value; found to serve all images tried."""


@dataclass(frozen=True, eq=False)
class MriReconstruction:
    """An image from k-space, and how it came about.

    Args:
        image: (*shape), complex; its phase is that of the maps' reference.
        solution: of the last weighted problem, with a certificate of how far its objective can be above its
            minimum; 40 iterations a round are for the image, not for a small gap.
        weight: λ, unit of the image.
        choice: the curve that λ was taken from; None where λ was given.
    """

    image: Tensor
    solution: Solution
    weight: float
    choice: Choice | None


@dataclass(frozen=True)
class CompressedSensing:
    """The image of the fewest coefficients that agrees with the samples.

    ::

        x = argmin ½ Σ_c ‖M F S_c x − y_c‖² + λ Σ w|K x|,     w ← floor / (local size of K x + floor)

    The first problem has w = 1 and is convex. Each further round makes the weights from the last image, so
    that large coefficients, which are signal, are hardly shrunk any more; each is convex again. λ and the
    image have the unit of y, with a unitary Fourier transform. Memory: 4 copies of S x and 5 of K x.

    Args:
        sparsity: K and how weights are made: :class:`CosineSparsity` or :class:`TotalVariation`.
        weight: λ ≥ 0 in the unit of the image, or the rule that chooses it (on the first two problems).
        rounds: of reweighting after the first; 0 for the convex problem alone.
        floor: local size at which w is ½, as a share of the image's largest value.
        rule: when a round ends.

    Raises:
        UsageError: GD-101 if a parameter is out of range; GD-103 and GD-104 as :class:`CoilSplitting`.

    Source:
        Lustig, Donoho & Pauly, Magn Reson Med 58:1182-1195, 2007; Candès, Wakin & Boyd, J Fourier Anal Appl
        14:877-905, 2008 (reweighting).

    Example:
        >>> from gradatim.linop.fourier import CentredFourier
        >>> square = torch.zeros(32, 32)
        >>> square[8:24, 8:24] = 1.0
        >>> kept = torch.rand(32, 32, generator=torch.Generator().manual_seed(0)) < 0.5
        >>> kept[12:20, 12:20] = True
        >>> kspace = KSpace(CentredFourier((32, 32)).apply(square)[None] * kept, kept)
        >>> found = CompressedSensing(weight=1e-4)(kspace)
        >>> bool((found.image - square).abs().max() < 0.02), bool((kspace.coil_images - square).abs().max() > 0.2)
        (True, True)
    """

    sparsity: Sparsity = field(default_factory=CosineSparsity)
    weight: float | HeldOut = field(default_factory=HeldOut)
    rounds: int = 3
    floor: float = 0.01
    rule: StoppingRule = field(default=IterationBound(40) | RelativeChange(1e-3))

    def __post_init__(self) -> None:
        given = 0.0 if isinstance(self.weight, HeldOut) else self.weight
        if not (given >= 0 and math.isfinite(given) and self.rounds >= 0 and self.floor > 0):
            raise UsageError(
                "GD-101",
                given=f"weight {given}, {self.rounds} rounds, floor {self.floor}",
                allowed="λ ≥ 0, rounds ≥ 0, floor > 0",
                do="leave them out to have the defaults",
            )

    def __call__(self, kspace: KSpace, *, maps: Tensor | None = None) -> MriReconstruction:
        """Make the image.

        Args:
            kspace: the samples.
            maps: (coil, *shape) from :class:`~gradatim.restore.mri.coil_maps.Espirit` or another way; None
                for a single coil.
        """
        with torch.no_grad():
            start = kspace.combined(maps)
            scale = float(start.abs().max())
            if isinstance(self.weight, HeldOut):
                tried = min(self.rounds, 1)
                choice = self.weight.choose(
                    kspace,
                    maps,
                    lambda shown, weight: self._solve(shown, maps, weight, scale, tried).value,
                    scale=scale,
                )
                weight = choice.weight
            else:
                choice, weight = None, self.weight
            solution = self._solve(kspace, maps, weight, scale, self.rounds)
        return MriReconstruction(solution.value, solution, weight, choice)

    def _solve(self, kspace: KSpace, maps: Tensor | None, weight: float, scale: float, rounds: int) -> Solution:
        operator = self.sparsity.operator(kspace.shape)
        least = torch.finfo(kspace.samples.real.dtype).eps
        method = CoilSplitting(kspace, maps, operator, PENALTY * max(weight / scale, least))
        weight = max(weight, scale * least)
        image = kspace.combined(maps)
        function = self.sparsity.function(self.sparsity.weights(torch.zeros_like(operator.apply(image)), 1.0))
        state = method.init(image, function=function, weight=weight)
        history: tuple[Progress, ...] = ()
        for turn in range(rounds + 1):
            if turn > 0:
                weights = self.sparsity.weights(operator.apply(state.image), self.floor * scale)
                function = self.sparsity.function(weights)
            reason, made, state = self._round(method, state, function, weight)
            history += made
        target = kspace.samples[0] if maps is None else kspace.samples
        problem = Problem((Term(SquaredDistance(target), kspace.model(maps)), Term(function, operator, weight)))
        proof = problem.certificate(state.image, (None, method.penalty * state.coefficient_duals))
        return Solution(state.image, reason, len(history), history, proof)

    def _round(
        self, method: CoilSplitting, state: SplittingState, function: Function, weight: float
    ) -> tuple[Stop, tuple[Progress, ...], SplittingState]:
        """One convex problem from a state; the state it ends in carries the duals to the next."""
        last = state

        def step(before: SplittingState) -> SplittingState:
            nonlocal last
            last = method.step(before, function=function, weight=weight)
            return last

        found = drive(step, state, rule=self.rule, measure=method.progress, value=lambda after: after.image)
        return found.reason, found.history, last
