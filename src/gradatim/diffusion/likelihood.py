"""The most likely parameters of many voxels at once, by damped Fisher scoring."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.diffusion.noise_models import NoiseModel

SETTLED = 1e-8
"""Largest step, in coordinates of the order of 1, at which a fit has settled."""
NOTHING = 1e-10
"""Gain of deviance in a step, in units of the noise's variance, at which it has settled as well: 1e-5 of an error."""


class DecayModel(ABC):
    """A signal as a function of p free coordinates; what they mean is a monotone function of each.

    A model acts on the last axis of its coordinates, and any axes may lead.
    """

    @property
    @abstractmethod
    def names(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each parameter."""

    @abstractmethod
    def signal(self, state: Tensor) -> Tensor:
        """S, (..., n), at coordinates (..., p)."""

    @abstractmethod
    def slopes(self, state: Tensor) -> Tensor:
        """∂S/∂coordinates, (..., n, p)."""

    @abstractmethod
    def natural(self, state: Tensor) -> Tensor:
        """The parameters, (..., p), each a rising function of its own coordinate."""

    def bend(self, state: Tensor, pull: Tensor) -> Tensor:
        """A positive part of −Σ pull·∂²S/∂coordinates² that steps need beside the information; none by default.

        Args:
            state: (voxel, p).
            pull: ∂ ln likelihood / ∂S, (voxel, n).

        Returns:
            (voxel, p, p), or what broadcasts to it.
        """
        return state.new_zeros(())


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where the likelihood is greatest.

    Args:
        state: (voxel, p), coordinates.
        deviance: (voxel), −2 ln likelihood there.
        information: (voxel, p, p), expected information about the coordinates.
        settled: (voxel), bool.
    """

    state: Tensor
    deviance: Tensor
    information: Tensor
    settled: Tensor


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The likelihood of data of many voxels under one model.

    Args:
        model: S(coordinates).
        noise: how data lie around it.
        data: (voxel, n).
        sigma: (voxel, 1), σ; 1 where it is to be told from the residuals.
    """

    model: DecayModel
    noise: NoiseModel
    data: Tensor
    sigma: Tensor

    def deviance(self, state: Tensor) -> Tensor:
        """−2 ln likelihood, (voxel), inf where it is not a number."""
        return self.noise.deviance(self.model.signal(state), self.data, self.sigma).sum(-1).nan_to_num(torch.inf)

    def unit(self, deviance: Tensor) -> Tensor:
        """The variance of which deviances are multiples, (voxel): 1 where σ is known, else what a value leaves.

        Args:
            deviance: (voxel).
        """
        return torch.ones_like(deviance) if self.noise.known is not None else deviance / self.data.shape[1]

    def at(self, chosen: Tensor) -> "Likelihood":
        """The same for some of the voxels.

        Args:
            chosen: their indices.
        """
        return Likelihood(self.model, self.noise, self.data[chosen], self.sigma[chosen])

    def quadratic(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Score (voxel, p), expected information (voxel, p, p), and what of the model's own curvature steps need."""
        signal, slopes = self.model.signal(state), self.model.slopes(state)
        pull = self.noise.pull(signal, self.data, self.sigma)
        weight = self.noise.information(signal, self.sigma).expand_as(signal)
        score = (slopes.mT @ pull[..., None])[..., 0]
        return score, slopes.mT @ (weight[..., None] * slopes), self.model.bend(state, pull)


def climb(likelihood: Likelihood, start: Tensor, *, iterations: int, held: int | None = None) -> Ascent:
    """Maximise a likelihood in each voxel, from a start.

    Steps solve (F + μ·diag F)·δ = score with the expected information F; μ falls after a step that was good and
    rises after one that was not, as of Levenberg and Marquardt. Not differentiable: :func:`attached` is.

    Args:
        likelihood: of the voxels.
        start: (voxel, p).
        iterations: at most so many steps.
        held: a coordinate that stays as it is.
    """
    with torch.no_grad():
        state, deviance = start.detach().clone(), likelihood.deviance(start.detach())
        damping = torch.full_like(deviance, 1e-3)
        settled = torch.zeros_like(deviance, dtype=torch.bool)
        active = torch.arange(len(state), device=state.device)
        for _ in range(iterations):
            part, here = likelihood.at(active), state[active]
            score, information, bend = part.quadratic(here)
            step = _step(score, information + bend, damping[active], held)
            there = here + step
            value = part.deviance(there)
            gain = deviance[active] - value
            good = gain >= 0
            state[active] = torch.where(good[:, None], there, here)
            deviance[active] = torch.where(good, value, deviance[active])
            damping[active] = torch.where(good, 0.2 * damping[active], 10.0 * damping[active]).clamp(1e-12, 1e8)
            small = NOTHING * part.unit(deviance[active])
            still = good & (gain <= small) & (damping[active] <= 100.0)
            done = (step.abs().amax(1) <= SETTLED) | still
            settled[active[done]] = True
            active = active[~done]
            if not len(active):
                break
        return Ascent(state, deviance, likelihood.quadratic(state)[1], settled)


def _step(score: Tensor, information: Tensor, damping: Tensor, held: int | None) -> Tensor:
    """The damped step; in units of each coordinate's own information, so that nothing depends on scale."""
    if held is not None:
        score, information = score.clone(), information.clone()
        score[:, held] = 0.0
        information[:, held, :] = 0.0
        information[:, :, held] = 0.0
        information[:, held, held] = 1.0
    size = information.diagonal(dim1=-2, dim2=-1).clamp_min(1e-300).rsqrt()
    scaled = information * size[:, :, None] * size[:, None, :]
    scaled = scaled + torch.diag_embed(damping[:, None].expand_as(size))
    step = size * torch.linalg.solve_ex(scaled, (score * size)[..., None])[0][..., 0]
    return step.nan_to_num(0.0, 0.0, 0.0).clamp(-5.0, 5.0)


def attached(likelihood: Likelihood, state: Tensor) -> Tensor:
    """The same coordinates with the gradient that the implicit function theorem gives them.

    At the maximum the score is 0 for any data, so ∂state/∂data = H⁻¹·∂score/∂data with H the observed information.

    Args:
        likelihood: whose data may ask for gradients.
        state: (voxel, p), at the maximum.
    """
    if not (likelihood.data.requires_grad and len(state)):
        return state

    def half(state: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        return 0.5 * likelihood.noise.deviance(likelihood.model.signal(state), data, sigma).sum()

    sigma = likelihood.sigma.detach()
    hessian = torch.func.vmap(torch.func.hessian(half))(state, likelihood.data.detach(), sigma)
    pull = likelihood.noise.pull(likelihood.model.signal(state), likelihood.data, sigma)
    score = (likelihood.model.slopes(state).mT @ pull[..., None])[..., 0]
    return state + torch.linalg.solve_ex(hessian, score[..., None])[0][..., 0]
