"""Dipole inversion by thresholded division in k-space."""

from dataclasses import dataclass

import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import FieldMap
from gradatim.base.soundness import require_sound
from gradatim.linop.dipole import dipole_symbol
from gradatim.linop.fft import irfftn, rfftn
from gradatim.qsm.dipole_inversion import Inversion, padding, robust_misfit, susceptibility_map


@dataclass(frozen=True)
class ThresholdedDivision:
    """χ(k) = f(k)·sign(D(k)) / max(|D(k)|, t), TKD, divided by what it takes from a point source.

    On the magic-angle cone D = 0 and the data say nothing; below ``threshold`` the division is capped, which
    keeps noise finite and leaves streaks along the cone. Capping shrinks susceptibilities by the mean of
    D·D̃⁻¹ over k-space, which is divided out again. Fast, linear, differentiable; a first look, not a map
    to measure in. The data weights are not used.

    Args:
        threshold: t, between 0 and 2/3; a larger one gives fewer streaks and less detail.

    Raises:
        UsageError: GD-101 if the threshold is out of range.
        InputError: GD-603 if the field is not finite inside its mask.

    Source:
        Shmueli et al., Magn Reson Med 62:1510 (2009); correction: Schweser et al., Magn Reson Med 69:1582
        (2013); threshold 0.15 from the latter's range 0.1 to 0.2.

    Example:
        >>> ThresholdedDivision()
        ThresholdedDivision(threshold=0.15)
    """

    threshold: float = 0.15

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 2.0 / 3.0:
            raise UsageError(
                "GD-101", given=f"threshold {self.threshold}", allowed="between 0 and 2/3", do="use 0.1 to 0.2"
            )

    def __call__(self, local: FieldMap) -> Inversion:
        """Invert a local field.

        Args:
            local: field in Hz.

        Returns:
            The map in ppm on the field's mask.
        """
        require_sound(local.mask, local.field)
        pad = padding(local)
        data = pad.apply(torch.where(local.mask, local.ppm, 0.0))
        symbol = dipole_symbol(
            pad.padded, local.grid.spacing, b0_direction=local.grid.b0_direction, dtype=data.dtype, device=data.device
        )
        inverse = torch.where(symbol < 0, -1.0, 1.0) / symbol.abs().clamp_min(self.threshold)
        kept = irfftn((symbol * inverse).to(symbol.dtype.to_complex()), pad.padded)[0, 0, 0]
        values = pad.adjoint(irfftn(rfftn(data) * (inverse / kept), pad.padded))
        chi = susceptibility_map(values, local)
        predicted = pad.adjoint(irfftn(rfftn(pad.apply(chi.value)) * symbol, pad.padded))
        return Inversion(chi, 0.0, robust_misfit(predicted, local), values)
