"""The field map refined against the complex echoes, without unwrapped phase."""

import math
from dataclasses import dataclass, replace

import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import FieldMap, MultiEcho
from gradatim.qsm.echo_fit import TWO_PI, EchoFitResult


@dataclass(frozen=True)
class ComplexFit:
    """Minimises Σ_e |S_e − M_e·exp(i(φ₀ + 2π·f·TE_e))|² over f, from the line fit.

    With M_e = |S_e| the sum is Σ 2M_e²(1 − cos r_e), r_e = φ_e − φ₀ − 2π·f·TE_e: noise enters as complex
    Gaussian noise, and turns of the measured phase drop out. Newton steps on each voxel, curvature bounded
    below by a tenth of Σ M_e²TE_e², at most a quarter turn at the last echo each. A wrong turn at the
    start stays wrong: the nearest minimum is found. The offset φ₀ is taken from the start. A voxel without
    signal keeps its start.

    Differentiable by unrolling.

    Args:
        iterations: Newton steps, ≥ 1; five converge to float precision from a good start.

    Raises:
        UsageError: GD-101 if ``iterations`` < 1.

    Source:
        Liu et al., Magn Reson Med 69:467 (2013); Kressler et al., IEEE Trans Med Imaging 29:273 (2010).

    Example:
        >>> ComplexFit().iterations
        5
    """

    iterations: int = 5

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise UsageError("GD-101", given=f"iterations {self.iterations}", allowed="at least 1", do="use 5")

    def __call__(self, signal: MultiEcho, *, start: EchoFitResult) -> EchoFitResult:
        """Refine a field.

        Args:
            signal: the scan.
            start: the line fit, with the offset.

        Returns:
            The same with the refined field; error, offset and misfit are the start's.
        """
        mask = start.field.mask
        times = torch.tensor(signal.echo_times, dtype=torch.float64, device=mask.device)[:, None]
        weights = signal.magnitude.double()[:, mask].square()
        phase = signal.phase.double()[:, mask] - start.offset.double()[mask]
        rate = start.field.field.double()[mask] * TWO_PI
        full = (weights * times.square()).sum(0).clamp_min(torch.finfo(weights.dtype).tiny)
        bound = math.pi / 2.0 / float(times.max())
        for _ in range(self.iterations):
            residual = phase - rate * times
            slope = (weights * times * residual.sin()).sum(0)
            curvature = torch.maximum((weights * times.square() * residual.cos()).sum(0), 0.1 * full)
            rate = rate + (slope / curvature).clamp(-bound, bound)
        image = torch.zeros_like(start.field.field)
        image[mask] = (rate / TWO_PI).to(image.dtype)
        old = start.field
        return replace(start, field=FieldMap(image, old.error, mask, old.field_strength, old.grid))
