"""From a diffusion series to maps: the tensor, the kurtosis, the apparent diffusion coefficient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.nouns import QuantitativeMap
from gradatim.diffusion.fitted import DecayFit, Estimate, verdicts
from gradatim.diffusion.kurtosis import WeightedKurtosis
from gradatim.diffusion.kurtosis_maps import KurtosisMaps
from gradatim.diffusion.log_linear import LogLinearDiffusion
from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
from gradatim.diffusion.tensor import WeightedTensor
from gradatim.diffusion.tensor_fit import TensorFit
from gradatim.diffusion.tensor_maps import TensorMaps, direction_colours
from gradatim.diffusion.tensor_positive import PositiveTensor


@dataclass(frozen=True, eq=False)
class DiffusionMaps:
    """What a route found.

    Args:
        maps: name → map, with its standard error where one is known.
        verdict: (x, y, z), uint8, :class:`~gradatim.diffusion.fitted.Verdict`.
        images: name → what is no single quantity, (k, x, y, z).
    """

    maps: Mapping[str, QuantitativeMap]
    verdict: Tensor
    images: Mapping[str, Tensor] = field(default_factory=dict)


class DiffusionRoute(Protocol):
    """A series → maps."""

    def __call__(self, series: DiffusionSeries) -> DiffusionMaps:
        """Fit and map."""


@dataclass(frozen=True)
class TensorRoute:
    """FA, MD, AD, RD, S0 with errors, and the main direction in colours.

    Args:
        fit: of the tensor.

    Example:
        >>> TensorRoute().fit.rounds
        1
    """

    fit: WeightedTensor | PositiveTensor = WeightedTensor()

    def __call__(self, series: DiffusionSeries) -> DiffusionMaps:
        """Fit and map.

        Args:
            series: images with their b-matrices.
        """
        fit = self.fit(series)
        maps = TensorMaps()(fit)
        colours = direction_colours(fit, fa=maps["FA"].value)
        return DiffusionMaps(maps, verdicts(fit.verdict, fit.mask), {"RGB": colours})


@dataclass(frozen=True)
class KurtosisRoute:
    """MK, AK, RK, MKT, and FA, MD, AD, RD of the tensor fitted with them.

    Args:
        fit: of tensor and kurtosis.

    Example:
        >>> KurtosisRoute().fit.rounds
        1
    """

    fit: WeightedKurtosis = WeightedKurtosis()

    def __call__(self, series: DiffusionSeries) -> DiffusionMaps:
        """Fit and map.

        Args:
            series: images with their b-matrices, two different b besides 0.
        """
        fit = self.fit(series)
        tensor = TensorFit(
            fit.coefficients[:, :7], fit.covariance[:, :7, :7], fit.sigma, fit.verdict, fit.mask, fit.grid
        )
        return DiffusionMaps({**KurtosisMaps()(fit), **TensorMaps()(tensor)}, verdicts(fit.verdict, fit.mask))


@dataclass(frozen=True)
class AdcRoute:
    """ADC and S0, whatever the directions: of trace-weighted images, or the mean of three directions and more.

    Args:
        fit: of the decay.

    Example:
        >>> AdcRoute().fit.rounds
        3
    """

    fit: LogLinearDiffusion | MonoExponentialDiffusion = LogLinearDiffusion()

    def __call__(self, series: DiffusionSeries) -> DiffusionMaps:
        """Fit and map.

        Args:
            series: images with their b-matrices, of which only the traces count.
        """
        fit: DecayFit = self.fit(series.signal, b=series.weighting, mask=series.mask)
        named = {
            "ADC": (fit["diffusivity"], "apparent diffusion coefficient", "m²/s"),
            "S0": (fit["s0"], "signal without diffusion weighting", "signal unit"),
        }
        return DiffusionMaps({name: _map(series, *each) for name, each in named.items()}, fit.verdict)


def _map(series: DiffusionSeries, estimate: Estimate, said: str, unit: str) -> QuantitativeMap:
    return QuantitativeMap(estimate.value, series.mask, series.grid, said, unit, error=estimate.error)
