"""The same steps for all walkers at once, in torch: for other devices, and to check the compiled ones."""

import torch
from torch import Tensor

LEGS = 64


def phases_of(old: Tensor, new: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """What one step adds to the phases, (n, waveforms).

    Args:
        old: (n, 3).
        new: (n, 3).
        near: (waveforms, 3), weight of the old place.
        far: (waveforms, 3), weight of the new place.
    """
    return old @ near.T + new @ far.T


def step_closed(place: Tensor, rest: Tensor, *, radii: Tensor, axes: int) -> Tensor:
    """One step inside |x| ≤ radius over the first axes; the new places, (n, 3).

    Args:
        place: (n, 3), m.
        rest: (n, 3), the step.
        radii: (n,), m.
        axes: over how many axes the radius is taken.
    """
    confined = torch.arange(3, device=place.device) < axes
    place = place + torch.where(confined, 0.0, rest)
    rest = torch.where(confined, rest, 0.0)
    square = radii.square()
    for _ in range(LEGS):
        held = torch.where(confined, place, 0.0)
        out = (held + rest).square().sum(1) > square
        if not bool(out.any()):
            break
        a, b, c = rest.square().sum(1), (held * rest).sum(1), held.square().sum(1) - square
        share = ((-b + (b * b - a * c).clamp_min(0).sqrt()) / a).clamp(0, 1)
        share = torch.where(out, share, 1.0)[:, None]
        place = place + share * rest
        held, rest = torch.where(confined, place, 0.0), (1.0 - share) * rest
        size = held.square().sum(1, keepdim=True)
        rest = rest - 2.0 * (rest * held).sum(1, keepdim=True) / size * held
        shrink = torch.where(out, (radii / size[:, 0].sqrt()).clamp_max(1.0), 1.0)[:, None]
        place = torch.where(confined, place * shrink, place)
        rest = torch.where(out[:, None], rest, 0.0)
    return place + rest if not bool(out.any()) else place


def step_grains(local: Tensor, rest: Tensor, *, balls: Tensor, axes: int) -> tuple[Tensor, Tensor]:
    """One step outside of balls; the new places and the ways that were really gone, each (n, 3).

    Args:
        local: (n, 3), m.
        rest: (n, 3), the step.
        balls: (m, 4), centre and radius of each, images of a periodic box included.
        axes: over how many axes the radius is taken.
    """
    begin = local
    for _ in range(LEGS):
        away, way = local[:, None, :axes] - balls[:, :axes], rest[:, None, :axes]
        a, b = way.square().sum(2), (away * way).sum(2)
        inside = b * b - a * (away.square().sum(2) - balls[:, 3].square())
        meets = torch.where((b < 0) & (inside > 0), ((-b - inside.clamp_min(0).sqrt()) / a).clamp_min(0), 2.0)
        share, ball = meets.min(1)
        hit, share = share < 1, share.clamp_max(1.0)[:, None]
        local, rest = local + share * rest, (1.0 - share) * rest
        if not bool(hit.any()):
            break
        normal = torch.zeros_like(local)
        normal[:, :axes] = local[:, :axes] - balls[ball, :axes]
        back = 2.0 * (rest * normal).sum(1, keepdim=True) / normal.square().sum(1, keepdim=True) * normal
        rest = torch.where(hit[:, None], rest - back, 0.0)
    return local, local - begin


def step_voxels(voxel: Tensor, inside: Tensor, rest: Tensor, *, pores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One step through open voxels; voxel, place inside of it, and the way that was really gone, each (n, 3).

    Args:
        voxel: (n, 3), int64.
        inside: (n, 3), 0 to 1.
        rest: (n, 3), the step in voxels.
        pores: (x, y, z), bool.
    """
    size, row = torch.tensor(pores.shape, device=voxel.device), torch.arange(len(voxel), device=voxel.device)
    gone = torch.zeros_like(inside)
    for _ in range(LEGS):
        room = torch.where(rest > 0, 1.0 - inside, inside)
        meets = torch.where(room < rest.abs(), room / rest.abs().clamp_min(1e-300), 1.0)
        share, face = meets.min(1)
        hit = share < 1
        way = share[:, None] * rest
        gone, inside, rest = gone + way, inside + way, rest - way
        if not bool(hit.any()):
            break
        up = rest[row, face] > 0
        wall, other = up.to(inside.dtype), (~up).to(inside.dtype)
        there = voxel.clone()
        there[row, face] += torch.where(up, 1, -1)
        there = there % size
        enters = hit & pores[there[:, 0], there[:, 1], there[:, 2]]
        inside[row, face] = torch.where(hit, torch.where(enters, other, wall), inside[row, face])
        voxel = torch.where(enters[:, None], there, voxel)
        rest[row, face] *= torch.where(enters, 1.0, -1.0)
    return voxel, inside, gone
