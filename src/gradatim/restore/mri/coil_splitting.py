"""Sparse images from several coils by exact steps alone: one division in k-space, one in the image, one threshold."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.restore.mri.kspace import KSpace
from gradatim.solve.function import Function
from gradatim.solve.solution import Progress


class SplittingState(NamedTuple):
    """Where the iteration stands.

    Attributes:
        image: x, (*shape), complex.
        channels: z, (channel, *shape), copies of S x.
        channel_duals: scaled duals of z = S x.
        coefficients: v, copies of K x.
        coefficient_duals: scaled duals of v = K x.
    """

    image: Tensor
    channels: Tensor
    channel_duals: Tensor
    coefficients: Tensor
    coefficient_duals: Tensor


@dataclass(frozen=True, eq=False)
class CoilSplitting:
    """Steps that minimise ½ Σ_c ‖M F S_c x − y_c‖² + λ f(K x) without any inner iteration.

    The alternating direction method of multipliers with copies z = S x and v = K x, both of penalty ρ::

        x ← F⁻¹[ F(S*(z − t) + K*(v − u)) / (s + g) ]        g the symbol of K*K
        z ← F*[ (M y + ρ F(S x + t)) / (M + ρ) ]             a division sample by sample
        v ← prox of λf/ρ at K x + u
        t ← S x + t − z;  u ← K x + u − v                    over-relaxed

    The first line is exact only if Σ|S_c|² is the same everywhere, s. It is made so by one more channel, of
    sensitivity √(s − Σ|S_c|²), that is never measured: it changes no term of the objective. One coil without
    a map needs none. Each step is pure and differentiable.

    Args:
        kspace: y and M.
        maps: S, (coil, *shape); None for a single coil of sensitivity 1.
        operator: K, shift-invariant.
        penalty: ρ > 0, without unit; near λ times 20 over the image's largest value.
        relaxation: in [1, 2).

    Raises:
        UsageError: GD-101 if penalty or relaxation is out of range; GD-103 if the maps have not the shape of
            the samples; GD-104 if several coils come without maps.

    Source:
        Boyd et al., Found Trends Mach Learn 3:1-122, 2011; splitting of the coils: Ramani & Fessler, IEEE Trans
        Med Imaging 30:694-706, 2011. The unmeasured channel is our own.
    """

    kspace: KSpace
    maps: Tensor | None
    operator: ShiftInvariant
    penalty: float
    relaxation: float = 1.6

    def __post_init__(self) -> None:
        if not (self.penalty > 0 and math.isfinite(self.penalty) and 1.0 <= self.relaxation < 2.0):
            raise UsageError(
                "GD-101",
                given=f"penalty {self.penalty}, relaxation {self.relaxation}",
                allowed="penalty > 0, 1 ≤ relaxation < 2",
                do="use λ·20/max|x| and 1.6",
            )
        samples, maps = self.kspace.samples, self.maps
        if maps is None and samples.shape[0] > 1:
            raise UsageError(
                "GD-104",
                given=f"samples of {samples.shape[0]} coils without maps",
                allowed="coil maps with several coils",
                do="estimate the maps, with Espirit for one",
            )
        if maps is not None and maps.shape != samples.shape:
            raise UsageError(
                "GD-103",
                given=f"maps of shape {tuple(maps.shape)} for samples of shape {tuple(samples.shape)}",
                allowed="equal shapes",
                do="give one map a coil on the image's grid",
            )

    def init(self, image: Tensor, *, function: Function, weight: float) -> SplittingState:
        """The state that begins at an image, its coefficients already shrunk once.

        Args:
            image: (*shape), complex.
            function: f.
            weight: λ.
        """
        channels, local = self._sensitivities * image, self.operator.apply(image)
        coefficients = function.prox(local, weight / self.penalty)
        return SplittingState(image, channels, torch.zeros_like(channels), coefficients, local - coefficients)

    def step(self, state: SplittingState, *, function: Function, weight: float) -> SplittingState:
        """One iteration.

        Args:
            state: the state before it.
            function: f.
            weight: λ.
        """
        pull = (self._sensitivities.conj() * (state.channels - state.channel_duals)).sum(dim=0)
        pull = pull + self.operator.adjoint(state.coefficients - state.coefficient_duals)
        image = torch.fft.ifftn(torch.fft.fftn(pull, dim=self._axes) / self._denominator, dim=self._axes)
        seen = torch.lerp(state.channels, self._sensitivities * image, self.relaxation) + state.channel_duals
        channels = seen + self._correction(seen)
        local = torch.lerp(state.coefficients, self.operator.apply(image), self.relaxation) + state.coefficient_duals
        coefficients = function.prox(local, weight / self.penalty)
        return SplittingState(image, channels, seen - channels, coefficients, local - coefficients)

    def progress(self, before: SplittingState, after: SplittingState) -> Progress:
        """What a step did: its change, and as residual ‖S x − z‖/‖z‖, how far the copies of the channels lie apart."""
        apart = _relative(self._sensitivities * after.image - after.channels, after.channels)
        return Progress(change=_relative(after.image - before.image, after.image), residual=apart)

    def _correction(self, seen: Tensor) -> Tensor:
        """F*[M (y − F d) / (1 + ρ)]: what the data change of the channels; nothing in the unmeasured one."""
        coils = len(self.kspace.samples)
        spectrum = torch.fft.fftn(torch.fft.ifftshift(seen[:coils], dim=self._axes), dim=self._axes, norm="ortho")
        missing = torch.where(self._taken, self._target - spectrum, 0.0) / (1.0 + self.penalty)
        found = torch.fft.fftshift(torch.fft.ifftn(missing, dim=self._axes, norm="ortho"), dim=self._axes)
        return found if coils == len(seen) else torch.cat([found, torch.zeros_like(seen[coils:])])

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.kspace.shape), 0))

    @cached_property
    def _taken(self) -> Tensor:
        """M with the zero frequency first, as the transform has it."""
        return torch.fft.ifftshift(self.kspace.mask, dim=self._axes)

    @cached_property
    def _target(self) -> Tensor:
        """y in the same order."""
        return torch.fft.ifftshift(torch.where(self.kspace.mask, self.kspace.samples, 0.0), dim=self._axes)

    @cached_property
    def _sensitivities(self) -> Tensor:
        """S and the unmeasured channel, where one is needed."""
        if self.maps is None:
            return torch.ones_like(self.kspace.samples[:, *(slice(0, 1),) * len(self.kspace.shape)].real)
        power = self.maps.abs().square().sum(dim=0, keepdim=True)
        rest = (power.max() - power).clamp_min(0.0)
        if float(rest.max()) <= 1e-5 * float(power.max()):
            return self.maps
        return torch.cat([self.maps, rest.sqrt().to(self.maps.dtype)])

    @cached_property
    def _denominator(self) -> Tensor:
        """s + g: what S*S and K*K are together, in k-space."""
        real = self.kspace.samples.real
        impulse = torch.zeros(self.kspace.shape, dtype=real.dtype, device=real.device)
        impulse[(0,) * impulse.ndim] = 1.0
        gram = torch.fft.fftn(self.operator.adjoint(self.operator.apply(impulse)), dim=self._axes).real
        return gram + float(self._sensitivities.abs().square().sum(dim=0).max())


def _relative(part: Tensor, whole: Tensor) -> float:
    scale = float(torch.linalg.vector_norm(whole))
    length = float(torch.linalg.vector_norm(part))
    return length / scale if scale > 0 else (0.0 if length == 0 else math.inf)
