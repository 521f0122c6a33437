"""Random smooth fields and the sulci that their zero sheets make."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.qsm.head.shapes import Point, Points


@dataclass(frozen=True, eq=False)
class RandomField:
    """A smooth Gaussian field g(p) = √(2/N) Σ cos(kₙ·p + φₙ), of variance 1 and about one wavelength.

    The field is a formula, not a grid: it has the same value at a point whatever the voxels are.

    Args:
        waves: (N, 4), wave vectors kₙ in rad per length and phases φₙ.
    """

    waves: Tensor

    @classmethod
    def draw(cls, wavelength: float, *, generator: torch.Generator, count: int = 24) -> "RandomField":
        """Directions uniform on the sphere, wave numbers within 15 % of 2π over the wavelength."""
        directions = torch.randn(count, 3, generator=generator)
        directions /= directions.norm(dim=1, keepdim=True)
        numbers = 2.0 * math.pi / wavelength * (0.85 + 0.3 * torch.rand(count, 1, generator=generator))
        phases = 2.0 * math.pi * torch.rand(count, 1, generator=generator)
        return cls(torch.cat([directions * numbers, phases], dim=1))

    def __call__(self, p: Points) -> Tensor:
        total = torch.zeros_like(p[0])
        for kx, ky, kz, phase in self.waves.tolist():
            total += torch.mul(p[0], kx).add_(p[1], alpha=ky).add_(p[2], alpha=kz).add_(phase).cos_()
        return total.mul_(math.sqrt(2.0 / len(self.waves)))


def warped(p: Points, fields: tuple[RandomField, RandomField, RandomField], size: float) -> Points:
    """Points moved by a smooth random displacement of standard deviation ``size`` along each axis."""
    x, y, z = (c + size * field(p) for c, field in zip(p, fields, strict=True))
    return x, y, z


def sulci(
    p: Points, depth: Tensor, *, surface: tuple[Point, Point], pattern: RandomField, reach: Tensor, step: Point
) -> Tensor:
    """Signed distance of the fluid in cortical sulci, negative inside a sulcus.

    Sulci are the sheets on which a random field on the surface of an ellipsoid is zero, continued inwards
    along its radii. The distance to a sheet is |g| / |∇g|, by differences between neighbouring voxels.

    Args:
        p: points on a grid, (x, y, z) tensors.
        depth: below the outer surface, positive inside.
        surface: centre and semi-axes of the ellipsoid onto which the pattern is painted.
        pattern: g.
        reach: how deep the sulci go, per point.
        step: distance between neighbouring points along each array axis.
    """
    centre, semi = surface
    relative = [(c - o) / s for c, o, s in zip(p, centre, semi, strict=True)]
    radius = torch.sqrt(sum((c * c for c in relative), start=torch.zeros_like(depth))).clamp_min_(0.2)
    # a part of the true position in the pattern lets the sheets bend on their way down
    x, y, z = (o + c * (0.7 / radius + 0.3) * s for c, o, s in zip(relative, centre, semi, strict=True))
    value = pattern((x, y, z))
    slopes = torch.gradient(value, spacing=[float(h) for h in step])
    slope = torch.sqrt(sum((c * c for c in slopes), start=torch.zeros_like(depth)))
    flattest = 0.35 * float(pattern.waves[:, :3].norm(dim=1).mean()) / math.sqrt(3.0)
    sheet = value.abs() / torch.sqrt(slope * slope + flattest**2)
    half_width = (1.1 - 0.05 * depth).clamp_(0.35, 1.1)
    return torch.maximum(sheet - half_width, depth - reach)
