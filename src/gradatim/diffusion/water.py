"""Self-diffusion of water over temperature: what a fit is checked against."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class WaterDiffusivity:
    """D(T) = D₀·(T/Tₛ − 1)^γ, with D₀ = 1.635e-8 m²/s, Tₛ = 215.05 K, γ = 2.063.

    A fit to measurements between 0 °C and 100 °C, to 1 %. Differentiable.

    Raises:
        UsageError: when called, GD-101 for a temperature outside of 273.15 to 373.15 K.

    Source:
        Holz, Heil & Sacco, Phys Chem Chem Phys 2:4740 (2000).

    Example:
        >>> import torch
        >>> f"{WaterDiffusivity()(torch.tensor(298.15).double()).item():.4e}"
        '2.2995e-09'
    """

    def __call__(self, temperature: Tensor) -> Tensor:
        """D, m²/s.

        Args:
            temperature: K.
        """
        if not bool(((temperature >= 273.149) & (temperature <= 373.151)).all()):
            raise UsageError(
                "GD-101",
                given="a temperature outside of 273.15 to 373.15 K",
                allowed="liquid water",
                do="give the temperature in kelvin: 25 °C is 298.15 K",
            )
        return 1.635e-8 * (temperature / 215.05 - 1.0) ** 2.063
