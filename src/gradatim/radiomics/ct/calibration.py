"""CT numbers put right by two materials that are known: water and air."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.ct.region_mean import RegionMean


@dataclass(frozen=True, eq=False)
class Calibration:
    """HU = slope·seen + intercept, with what the noise of the two regions leaves uncertain.

    Args:
        slope: HU a HU that was seen, (), float64.
        intercept: HU, (), float64.
        covariance: of (slope, intercept), (2, 2), float64.
        water: mean of the water region as it was seen, HU.
        air: mean of the air region as it was seen, HU.
    """

    slope: Tensor
    intercept: Tensor
    covariance: Tensor
    water: Tensor
    air: Tensor

    @property
    def slope_error(self) -> float:
        """Standard error of the slope."""
        return float(self.covariance[0, 0].sqrt())

    @property
    def intercept_error(self) -> float:
        """Standard error of the intercept, HU."""
        return float(self.covariance[1, 1].sqrt())

    @property
    def drift(self) -> Tensor:
        """ε, the relative drift of the water reference that the slope amounts to, ε = slope − 1; air's μ taken as 0.

        It is the drift that :class:`~gradatim.radiomics.ct.drift.WaterDrift` undoes, if nothing else is wrong: then
        air is seen at −1000 HU.
        """
        return self.slope - 1

    def __call__(self, image: Tensor) -> Tensor:
        """The corrected image, HU, of one that was seen, any shape. Differentiable."""
        return image * self.slope.to(image) + self.intercept.to(image)

    def error(self, seen: Tensor) -> Tensor:
        """Standard error of the correction, HU, at values that were seen; all voxels share it, it is no noise."""
        at = torch.stack((seen.double(), torch.ones_like(seen, dtype=torch.float64)), -1)
        return ((at @ self.covariance.to(seen.device)) * at).sum(-1).clamp(min=0).sqrt().to(seen.dtype)


@dataclass(frozen=True)
class TwoPointCalibration:
    """Image + region of water + region of air → :class:`Calibration`.

    slope = (HU_w − HU_a)/(w − a), intercept = HU_w − slope·w, with w and a the means of the regions as seen. Their
    errors follow from the noise in the regions, neighbours taken as correlated (:class:`RegionMean`). Two points fix
    a line and cannot say whether a line is right: a third material checks it. Differentiable in the image. Source:
    the drift of a linear scale as in :class:`~gradatim.radiomics.ct.drift.WaterDrift`; errors to first order.

    Args:
        water_hu: what the water region is, HU.
        air_hu: what the air region is, HU.
        mean: how the regions are averaged.

    Raises:
        UsageError: GD-139 unless water lies above air; GD-103, when called, if a mask has another shape.
        InputError: when called, GD-719 if water does not lie above air in the image; GD-723 for a region too small
            or with values that are not finite.

    Example:
        >>> image = torch.full((8, 8, 4), -5.0)
        >>> image[:, :4] = -1000.0
        >>> water, air = image > -500, image < -500
        >>> line = TwoPointCalibration(mean=RegionMean(reach=0))(image, water=water, air=air)
        >>> round(float(line.slope), 6), round(float(line.intercept), 6)
        (1.005025, 5.025126)
    """

    water_hu: float = 0.0
    air_hu: float = -1000.0
    mean: RegionMean = RegionMean()

    def __post_init__(self) -> None:
        if not self.water_hu > self.air_hu:
            raise UsageError(
                "GD-139",
                given=f"water at {self.water_hu} HU and air at {self.air_hu} HU",
                allowed="water above air",
                do="give the CT numbers that the two materials have",
            )

    def __call__(self, image: Tensor, *, water: Tensor, air: Tensor) -> Calibration:
        """The line through the two materials.

        Args:
            image: (x, y, z), HU as seen.
            water: (x, y, z), bool; inside the water only, clear of its wall.
            air: (x, y, z), bool; outside the table and the object.
        """
        for mask in (water, air):
            if image.ndim != 3 or mask.shape != image.shape:
                raise UsageError(
                    "GD-103",
                    given=f"an image {tuple(image.shape)} with a region {tuple(mask.shape)}",
                    allowed="three-dimensional ones of one shape",
                    do="bring both to one grid",
                )
        (w, w_error), (a, a_error) = self.mean(image, water, what="water"), self.mean(image, air, what="air")
        if not bool(w > a):
            raise InputError(
                "GD-719",
                given=f"water seen at {float(w.detach()):.4g} and air at {float(a.detach()):.4g}",
                allowed="water above air",
                do="look whether the two regions are swapped, or the image is not CT",
            )
        slope = (self.water_hu - self.air_hu) / (w - a)
        intercept = self.water_hu - slope * w
        # derivatives of (slope, intercept) by w and a
        by_water = torch.stack((-slope, slope * a)) / (w - a)
        by_air = torch.stack((slope, -slope * w)) / (w - a)
        covariance = w_error**2 * torch.outer(by_water, by_water) + a_error**2 * torch.outer(by_air, by_air)
        return Calibration(slope, intercept, covariance.detach(), w, a)
