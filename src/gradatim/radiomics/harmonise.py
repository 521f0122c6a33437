"""Two scanners brought to one resolution and one noise before features are measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap
from gradatim.linop.fft import frequencies, half_shape
from gradatim.radiomics.blur.noise_power import NoiseSpectrum, coloured_noise, require_voxels
from gradatim.radiomics.blur.transfer import CommonTransfer, Transfer, blurred

SLACK = 0.02
"""Part of the MTF, and of the noise's largest power, by which a target may fall short of the scanner: what one
measures of a scanner is known no better."""


class NoisePowerModel(Protocol):
    """Anything that has a noise power spectrum."""

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """NPS, unit²·mm³, at frequencies in cycles/mm, one tensor an axis, which broadcast."""


@dataclass(frozen=True, eq=False)
class ImageQuality:
    """How sharp and how noisy a scanner's images are.

    Args:
        transfer: its MTF.
        noise: its NPS, unit²·mm³ in three dimensions.

    Example:
        >>> from gradatim.radiomics.blur.noise_power import NoiseSpectrum
        >>> from gradatim.radiomics.blur.transfer import GaussianPsf
        >>> white = NoiseSpectrum(torch.full((8, 8, 8), 400.0), (1.0, 1.0, 1.0))
        >>> sharp = ImageQuality(GaussianPsf((0.5, 0.5, 1.0)), white)
    """

    transfer: Transfer
    noise: NoisePowerModel


@dataclass(frozen=True, eq=False)
class FilteredNoise:
    """The noise of a scanner after its images were brought to a target MTF: NPS·(T/MTF)².

    Args:
        quality: the scanner's.
        target: T.
    """

    quality: ImageQuality
    target: Transfer

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """What the filter leaves of the noise at frequencies in cycles/mm, unit²·mm³."""
        ratio = Ratio(self.target, self.quality.transfer).at(frequencies)
        return self.quality.noise.at(frequencies) * ratio.square()


@dataclass(frozen=True, eq=False)
class HighestNoise:
    """The highest of several NPS at each frequency.

    Args:
        parts: one or more.
    """

    parts: tuple[NoisePowerModel, ...]

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """The highest at frequencies in cycles/mm, unit²·mm³."""
        highest = self.parts[0].at(frequencies)
        for part in self.parts[1:]:
            highest = torch.maximum(highest, part.at(frequencies))
        return highest


@dataclass(frozen=True, eq=False)
class Ratio:
    """The filter from one MTF to a lower one, T/M, never above 1; where M is 0, so is it.

    Args:
        target: T.
        source: M.
    """

    target: Transfer
    source: Transfer

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """The filter at frequencies in cycles/mm, 0 to 1."""
        target, source = self.target.at(frequencies), self.source.at(frequencies)
        return torch.where(source > 0, target / torch.where(source > 0, source, 1.0), 0.0).clamp(max=1.0)


def common_quality(scanners: tuple[ImageQuality, ...]) -> ImageQuality:
    """The best quality that all scanners can be brought to without inventing detail or removing noise.

    MTF: the lowest at each frequency. NPS: the highest at each frequency, of what each scanner's noise is after its
    images were filtered to that MTF.

    Args:
        scanners: two or more.

    Example:
        >>> from gradatim.radiomics.blur.noise_power import NoiseSpectrum
        >>> from gradatim.radiomics.blur.transfer import GaussianPsf
        >>> white = [NoiseSpectrum(torch.full((8, 8, 8), v), (1.0, 1.0, 1.0)) for v in (400.0, 100.0)]
        >>> a, b = (ImageQuality(GaussianPsf((s, s, s)), n) for s, n in zip((0.5, 1.0), white))
        >>> both = common_quality((a, b))
        >>> f = tuple(torch.tensor([v]) for v in (0.3, 0.0, 0.0))
        >>> torch.allclose(both.transfer.at(f), b.transfer.at(f))
        True
    """
    transfer = CommonTransfer(tuple(scanner.transfer for scanner in scanners))
    return ImageQuality(transfer, HighestNoise(tuple(FilteredNoise(scanner, transfer) for scanner in scanners)))


@dataclass(frozen=True, eq=False)
class MatchResolution:
    """Image of one scanner → the image that a scanner of the target quality would have given.

    y = h ⋆ x + n: the filter h has the spectrum T/M, target over source MTF, which is never above 1, so that neither
    noise nor error of the MTF is amplified and no regularisation is needed; n is Gaussian noise of the power that is
    missing, N − NPS·(T/M)². The target is the lower resolution and the higher noise, as :func:`common_quality` makes
    it: detail that one scanner lost cannot be given back, and noise that is taken away takes texture with it. Assumes
    noise that is additive and stationary, and voxels of one size: resample first. Beyond its edge the image is
    mirrored. Differentiable in the image. The map's standard error, if any, is dropped: it no longer holds.

    Args:
        source: quality of the scanner that the image is from.
        target: the quality wanted.
        seed: of the noise; images of one cohort need different ones.

    Raises:
        UsageError: when called, GD-141 if the target is sharper than the source, GD-142 if it is less noisy than the
            filtered source, by more than 2 %; GD-103 for a noise spectrum that was measured on other voxels.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.blur.noise_power import NoiseSpectrum
        >>> from gradatim.radiomics.blur.transfer import GaussianPsf
        >>> quiet, loud = (NoiseSpectrum(torch.full((8, 8, 8), v), (1.0, 1.0, 1.0)) for v in (1.0, 25.0))
        >>> sharp, soft = ImageQuality(GaussianPsf((0.5,) * 3), loud), ImageQuality(GaussianPsf((1.0,) * 3), quiet)
        >>> match = MatchResolution(sharp, common_quality((sharp, soft)), seed=1)
        >>> grid = Grid((12, 12, 12), (1.0, 1.0, 1.0))
        >>> ct = QuantitativeMap(torch.full((12, 12, 12), 40.0), torch.ones(12, 12, 12).bool(), grid, "CT", "HU")
        >>> round(float(match(ct).value.mean()))
        40
    """

    source: ImageQuality
    target: ImageQuality
    seed: int | torch.Generator = 0

    def __call__(self, image: QuantitativeMap) -> QuantitativeMap:
        """The map at the target's quality, on the same grid, 0 outside its mask.

        Args:
            image: of the source scanner; what lies outside its mask, or is not finite, is filtered as 0 and outside of
                the new mask.
        """
        shape, spacing = image.grid.shape, image.grid.spacing
        for spectrum in (*_measured(self.source.noise), *_measured(self.target.noise)):
            require_voxels(spectrum, spacing)
        at = frequencies(shape, spacing)
        known = image.mask & torch.isfinite(image.value)
        missing = self._missing(at).expand(half_shape(shape))
        values = torch.where(known, image.value, 0.0).double()
        through = blurred(values, Ratio(self.target.transfer, self.source.transfer), spacing)
        noise = coloured_noise(missing, shape, spacing, seed=self.seed).to(through.device)
        value = torch.where(known, (through + noise).to(image.value.dtype), 0.0)
        return replace(image, value=value, mask=known, error=None)

    def _missing(self, at: tuple[Tensor, ...]) -> Tensor:
        sharper = float((self.target.transfer.at(at) - self.source.transfer.at(at)).max())
        if sharper > SLACK:
            raise UsageError(
                "GD-141",
                given=f"a target whose MTF lies up to {sharper:.3g} above the scanner's",
                allowed=f"at most {SLACK} above it",
                do="choose the common quality of all scanners as the target",
            )
        left = FilteredNoise(self.source, self.target.transfer).at(at)
        missing = self.target.noise.at(at) - left
        if float(missing.min()) < -SLACK * float(left.max()):
            raise UsageError(
                "GD-142",
                given=f"a target whose noise power lies up to {-float(missing.min()):.3g} below the filtered scanner's",
                allowed=f"at most {SLACK} of its largest below it",
                do="choose the common quality of all scanners as the target",
            )
        return missing.clamp(min=0)


def _measured(noise: NoisePowerModel) -> Iterator[NoiseSpectrum]:
    """The spectra on a grid of frequencies that a model is made of."""
    if isinstance(noise, NoiseSpectrum):
        yield noise
    elif isinstance(noise, FilteredNoise):
        yield from _measured(noise.quality.noise)
    elif isinstance(noise, HighestNoise):
        for part in noise.parts:
            yield from _measured(part)
