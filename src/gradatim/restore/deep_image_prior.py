"""A network as the only prior: fitted to one picture's data, and stopped before it learns the noise."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator
from gradatim.linop.operator import LinearOperator
from gradatim.nets.decoder import Decoder
from gradatim.restore.contrast import Contrast, contrast
from gradatim.solve.adaptive import Adam
from gradatim.solve.descent import GradientMethod
from gradatim.solve.drive import drive
from gradatim.solve.early_stop import EarlyStop, HeldOut, Patience
from gradatim.solve.evaluate import norm
from gradatim.solve.gradient_watch import GradientReport
from gradatim.solve.iterate_variance import IterateMoments, IterateVariance
from gradatim.solve.parameter_vector import ParameterVector
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, StoppingRule


@dataclass(frozen=True, eq=False)
class DeepImage:
    """A picture that a network drew.

    Args:
        value: the averaged iterate where the early stop's number was lowest, in the unit of the picture.
        last: the iterate at the end of the run, which has begun to follow the noise.
        chosen: the iteration that ``value`` is from.
        solution: of the fit; ``misfit`` of its history is √W·(A x − y) over the data that were fitted, and
            ``objective`` the early stop's number.
        gradients: what became of the gradient of each of the network's parameters.

    Example:
        >>> print(DeepImagePrior.__doc__.splitlines()[0])
        Fits A G(θ) to data y, G a decoder with random weights, and stops when it begins to fit the noise.
    """

    value: Tensor
    last: Tensor
    chosen: int
    solution: Solution
    gradients: GradientReport

    @property
    def message(self) -> str:
        """One sentence for a reader; empty if the stop was found and no gradient was lost."""
        said = self.gradients.message
        if self.solution.reason in (Stop.BOUND, Stop.TIME):
            said = "; ".join(filter(None, ("the run ended at its bound, perhaps before the best picture", said)))
        return said


@dataclass(frozen=True)
class DeepImagePrior:
    """Fits A G(θ) to data y, G a decoder with random weights, and stops when it begins to fit the noise.

    Minimises ½‖A G(θ) − y‖²_W over the weights θ of a :class:`~gradatim.nets.decoder.Decoder`, whose input is random
    and fixed. Convolutions and smooth up-sampling learn what pictures have in common first, and noise last: nothing
    was learnt from other pictures, and the prior is the order of learning. So the stop is the method. It is found
    without the truth, by data held out or by the iterates' variance. Scale and offset of the picture are taken from
    the data, so that y in other units gives the same picture in other units. There is no certificate.

    Args:
        width: channels inside the decoder.
        levels: its doublings of the grid.
        method: what steps; its step size must be given (unit of θ), its own rule is not asked.
        early: what tells that the noise is being learnt.
        rule: when to end; the objective that it sees is the number of ``early``.
        averaging: over about 2/a iterates, whose mean is the picture.
        longest: gradient that passes unclipped, per unit of θ, of the misfit divided by that of the plain mean.
        seed: of the network, its input and the data held out.

    Raises:
        UsageError: GD-101 for a parameter out of range, a negative weight, or a picture that has not two or three
            axes; GD-103 if data, weights and operator disagree.
        InputError: GD-660 if data of positive weight are not finite; GD-661 if too few have a positive weight.

    Source:
        Ulyanov, Vedaldi & Lempitsky, Deep Image Prior, CVPR 2018, arXiv 1711.10925; Wang et al., Early Stopping for
        Deep Image Prior, arXiv 2112.06074.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> y = torch.linspace(0, 1, 16).outer(torch.ones(16))
        >>> quick = DeepImagePrior(width=8, levels=2, rule=IterationBound(5))
        >>> found = quick(y, operator=Identity((16, 16)))
        >>> found.value.shape, found.solution.reason.name, found.message
        (torch.Size([16, 16]), 'BOUND', 'the run ended at its bound, perhaps before the best picture')
    """

    width: int = 32
    levels: int = 3
    method: GradientMethod = field(default=Adam(step_size=0.01))
    early: EarlyStop = field(default=HeldOut())
    rule: StoppingRule = field(default=IterationBound(3000) | Patience())
    averaging: IterateVariance = field(default=IterateVariance())
    longest: float = math.inf
    seed: int = 0

    def __call__(self, data: Tensor, *, operator: LinearOperator, weights: Tensor | None = None) -> DeepImage:
        """Find the picture behind the data.

        Args:
            data: y, (..., *codomain), real or complex; axes before the codomain are the picture's channels, which
                share the network. Data of weight 0 may hold anything.
            operator: A, from the picture, (x, y) or (x, y, z), to the data.
            weights: W ≥ 0, broadcasts to the data, inverse variance or any multiple of it; None for 1 everywhere.

        Returns:
            The picture, (..., *domain), real.
        """
        random = generator(self.seed)
        fit = _prepare(data, operator, weights, self.early, random)
        lead = tuple(data.shape[: data.ndim - len(operator.codomain_shape)])
        network = Decoder(
            operator.domain_shape, channels=math.prod(lead), width=self.width, levels=self.levels, seed=random
        ).to(fit.data.real)
        features, model = network.features(seed=random), ParameterVector(network)
        watch = model.watch(largest=self.longest)

        def picture(theta: Tensor) -> Tensor:
            drawn = model.apply(theta, features).reshape(*lead, *operator.domain_shape)
            return fit.level.offset + fit.level.scale * drawn

        def step(run: _Run) -> _Run:
            state = self.method.step(run.state, watch.clip(run.seen.gradient))
            seen = _look(state.theta, picture, fit)
            moments = self.averaging.step(run.moments, seen.picture)
            number = self.early.judge(moments, fit.unseen_misfit(moments.mean))
            better = number < run.lowest
            best, lowest = (moments.mean, number) if better else (run.best, run.lowest)
            return _Run(state, seen, moments, number, best, lowest)

        def measure(before: _Run, after: _Run) -> Progress:
            return Progress(
                change=norm(after.state.theta - before.state.theta) / norm(after.state.theta),
                misfit=after.seen.misfit,
                objective=after.number,
                gradient=norm(after.seen.gradient),
                parts=watch.norms(after.seen.gradient),
            )

        first = _look(model.start, picture, fit)
        moments = self.averaging.init(first.picture)
        start = _Run(self.method.init(model.start), first, moments, math.inf, first.picture, math.inf)
        found = drive(
            step, start, rule=self.rule, measure=measure, value=lambda run: torch.stack((run.best, run.seen.picture))
        )
        best, last = found.value
        numbers = [progress.objective for progress in found.history]
        chosen = numbers.index(min(numbers)) + 1 if numbers else 0
        return DeepImage(best, last, chosen, replace(found, value=best), watch.report(found))


class _Seen(NamedTuple):
    """What one look at θ shows: the picture, the gradient of the scaled misfit, and the misfit itself."""

    picture: Tensor
    gradient: Tensor
    misfit: float


class _Run(NamedTuple):
    """The fit between two iterations, and the best picture so far."""

    state: Any
    seen: _Seen
    moments: IterateMoments
    number: float
    best: Tensor
    lowest: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """The data, cut into those that are fitted and those that are held out, and the level of the picture."""

    data: Tensor
    operator: LinearOperator
    weights: Tensor
    unseen: Tensor
    level: Contrast
    plain: float

    def misfit(self, picture: Tensor, weights: Tensor) -> Tensor:
        """½ Σ W|A x − y|²."""
        return 0.5 * (weights * (self.operator.apply(picture) - self.data).abs().square()).sum()

    def unseen_misfit(self, picture: Tensor) -> float:
        return float(self.misfit(picture, self.unseen)) if bool(self.unseen.any()) else 0.0


def _look(theta: Tensor, picture: Callable[[Tensor], Tensor], fit: _Fit) -> _Seen:
    with torch.enable_grad():
        at = theta.detach().requires_grad_()
        drawn = picture(at)
        misfit = fit.misfit(drawn, fit.weights)
        gradient = torch.autograd.grad(misfit / fit.plain, at)[0]
    fitted = int((fit.weights > 0).sum())
    return _Seen(drawn.detach(), gradient, math.sqrt(2.0 * float(misfit.detach()) / fitted))


def _prepare(
    data: Tensor, operator: LinearOperator, weights: Tensor | None, early: EarlyStop, random: torch.Generator
) -> _Fit:
    if tuple(data.shape[data.ndim - len(operator.codomain_shape) :]) != operator.codomain_shape:
        raise UsageError(
            "GD-103",
            given=f"data of shape {tuple(data.shape)} for an operator to {operator.codomain_shape}",
            allowed="trailing axes of the operator's codomain",
            do="bring data and operator to one grid",
        )
    weights = data.real.new_ones(()) if weights is None else weights.to(data.real)
    if bool((weights < 0).any()):
        raise UsageError("GD-101", given="negative weights", allowed="≥ 0", do="give inverse variances")
    try:
        weights = weights.expand(data.shape)
    except RuntimeError as error:
        raise UsageError(
            "GD-103",
            given=f"weights of shape {tuple(weights.shape)} for data of {tuple(data.shape)}",
            allowed="weights that broadcast to the data",
            do="give one weight a number of the data",
        ) from error
    known = weights > 0
    clean = torch.where(known, data, torch.zeros_like(data))
    if not bool(torch.isfinite(clean).all()):
        raise InputError("GD-660", given="data that are not finite", allowed="finite data", do="give them the weight 0")
    held = early.held(tuple(data.shape), seed=random).to(data.device)
    fitted, unseen = weights * ~held, weights * held
    if not bool((fitted > 0).any()) or (bool(held.any()) and not bool((unseen > 0).any())):
        raise InputError(
            "GD-661",
            given=f"{int(known.sum())} numbers of positive weight",
            allowed="enough to fit some and hold some out",
            do="give more data, or stop by Wandering()",
        )
    level = contrast(clean, operator=operator, weights=fitted)
    fit = _Fit(clean, operator, fitted, unseen, level, 1.0)
    constant = torch.full(
        (*data.shape[: data.ndim - len(operator.codomain_shape)], *operator.domain_shape), level.offset
    )
    return replace(fit, plain=float(fit.misfit(constant.to(data.real), fitted)) or 1.0)
