"""The voxels of a multi-echo scan: read once, laid on one grid, freed of what is not a number."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.io.digest import values_sha256
from gradatim.io.echo_series import EchoFile, EchoSeries, Part
from gradatim.io.nifti import NiftiImage, read_image
from gradatim.io.orientation import Frame

SUPPORT = 0.05
"""Share of an echo's 99th percentile of magnitude above which a voxel counts as signal."""
GROWTH = 1.05
"""Growth of the mean magnitude from the first echo to the last that no decaying signal shows."""
B0_TOLERANCE = math.cos(math.radians(1.0))


@dataclass(frozen=True, eq=False)
class Volume:
    """One volume of a scan with the image it was read from.

    Args:
        file: what it stands for.
        data: (x, y, z), float32, slope applied.
        image: the image it came from.
        digest: fingerprint of the values, to find copies.
    """

    file: EchoFile
    data: Tensor
    image: NiftiImage
    digest: str


def read_volumes(
    series: EchoSeries, *, frame: Frame, budget_bytes: int | None
) -> tuple[tuple[Volume, ...], tuple[Finding, ...]]:
    """Read every file of a scan once and cut 4-D files into their echoes.

    Args:
        series: the scan.
        frame: which of a header's orientations to follow.
        budget_bytes: the most bytes one file may unpack to; by default an eighth of the free memory.

    Returns:
        Volumes ordered by part and echo, and findings: whatever :func:`gradatim.io.nifti.read_image` refuses or
        notes; GD-318 where a file holds another number of volumes than echo times, GD-321 for volumes alike.
    """
    volumes: list[Volume] = []
    findings: list[Finding] = []
    for path in sorted({f.path for f in series.files}):
        files = [f for f in series.files if f.path == path]
        try:
            image = read_image(path, frame=frame, budget_bytes=budget_bytes)
        except GradatimError as error:
            findings.append(Finding.of(error, path.name))
            continue
        findings += [note for note in image.notes if note.code != "GD-217"]  # judged with the magnitude later
        stack = image.data if image.data.ndim == 4 else image.data[None]
        if len(stack) != len(files):
            what = f"{len(stack)} volume(s) for {len(files)} echo(es)"
            fix = "give one echo time per volume, in seconds"
            findings.append(Finding("GD-318", Severity.REFUSE, path.name, what, "one volume per echo", fix))
            continue
        for file in files:
            data = stack[file.volume or 0]
            volumes.append(Volume(file, data, image, values_sha256(data)))
    volumes.sort(key=lambda v: (list(Part).index(v.file.part), v.file.echo))
    return tuple(volumes), (*findings, *_alike(volumes))


def common_grid(
    volumes: Sequence[Volume], *, b0_direction: tuple[float, float, float] | None
) -> tuple[Grid | None, tuple[Finding, ...]]:
    """The one grid on which all volumes lie.

    Args:
        volumes: at least one.
        b0_direction: B0 in array axes, any length, for images whose headers give no orientation.

    Returns:
        The grid, None if there is none, and findings: GD-311 volumes on other grids, GD-213 no orientation and no
        B0 direction, GD-312 a B0 direction that is zero or contradicts the header by more than 1°.
    """
    first, findings = volumes[0], []
    lost = sorted({v.file.path.name for v in volumes if not v.image.oriented})
    if lost and b0_direction is None:
        what, allowed = "neither sform nor qform is set", "an orientation, since the direction of B0 follows from it"
        fix = "export again with orientation, or give the direction of B0 in array axes with --b0-direction"
        findings += [Finding("GD-213", Severity.REFUSE, name, what, allowed, fix) for name in lost]
    for volume in volumes[1:]:
        grid, other = first.image.grid, volume.image.grid
        comparable = not lost or b0_direction is not None
        if grid.shape != other.shape or (comparable and not grid.same_space(other)):
            what = f"{_described(other)} against {_described(grid)} of {first.file.label}"
            fix = "take all echoes from one scan, or resample magnitude and phase of all before use"
            findings.append(Finding("GD-311", Severity.REFUSE, volume.file.label, what, "one grid", fix))
    if findings:
        return None, tuple(findings)
    if b0_direction is None:
        return first.image.grid, ()
    return _turned(first, b0_direction)


def settle_polar(magnitude: Volume, phase: Volume) -> tuple[Tensor, Tensor, tuple[Finding, ...]]:
    """Magnitude and phase of one echo; what is not a number becomes 0 outside the object and is refused inside.

    A voxel counts as object where the magnitude exceeds 5 % of its echo's 99th percentile, or is itself not a
    number while the phase is one.

    Args:
        magnitude: one echo's magnitude.
        phase: its phase.

    Returns:
        Magnitude (negative values set to 0), phase, and findings: GD-217, a refusal inside and a note outside;
        GD-317 for negative magnitude.
    """
    m, p = magnitude.data, phase.data
    bad_m, bad_p = ~torch.isfinite(m), ~torch.isfinite(p)
    known = m[~bad_m].numpy()
    top = float(np.percentile(known, 99)) if known.size else 0.0
    inside = (bad_p & (m > SUPPORT * top)) | (bad_m & ~bad_p & (p != 0))
    hole = bad_m | bad_p
    findings = _about_holes(inside, hole, phase.file.label)
    below = int((m < 0).sum())
    if below:
        what = f"{below} of {m.numel()} magnitudes are negative and were set to 0"
        fix = "check that it is a magnitude; resampling can make a few"
        findings += (Finding("GD-317", Severity.WARN, magnitude.file.label, what, "values from 0", fix),)
    return m.clamp_min(0).masked_fill(hole, 0.0), p.masked_fill(hole, 0.0), findings


def settle_cartesian(real: Volume, imag: Volume) -> tuple[Tensor, Tensor, tuple[Finding, ...]]:
    """Magnitude |S| and phase arg S (rad) of one echo; a voxel where neither part is a number becomes 0.

    Args:
        real: one echo's real part.
        imag: its imaginary part.

    Returns:
        Magnitude, phase, and findings: GD-217, a refusal where only one part is a number, else a note.
    """
    bad_r, bad_i = ~torch.isfinite(real.data), ~torch.isfinite(imag.data)
    hole = bad_r | bad_i
    signal = torch.complex(real.data.masked_fill(hole, 0.0), imag.data.masked_fill(hole, 0.0))
    return signal.abs(), signal.angle(), _about_holes(bad_r ^ bad_i, hole, imag.file.label)


def _about_holes(inside: Tensor, hole: Tensor, where: str) -> tuple[Finding, ...]:
    if bool(inside.any()):
        place = tuple(int(i) for i in inside.nonzero()[0])
        what = f"{int(inside.sum())} of {inside.numel()} voxels with signal are not finite, the first at {place}"
        fix = "find out what wrote them; a mask must be applied to magnitude and phase alike"
        return (Finding("GD-217", Severity.REFUSE, where, what, "finite values", fix),)
    if bool(hole.any()):
        what = f"{int(hole.sum())} voxels without signal are not finite and were set to 0"
        return (Finding("GD-217", Severity.NOTE, where, what, "finite values", "nothing"),)
    return ()


def check_swapped(magnitude: Sequence[Volume], phase: Sequence[Volume]) -> tuple[Finding, ...]:
    """Whether magnitude and phase were given for each other: GD-316.

    A magnitude is never negative, wrapped phase about 0 is negative in about half of its voxels. Only when both
    contradict their names is it a swap.

    Args:
        magnitude: all echoes.
        phase: all echoes.
    """
    if not magnitude or not phase:
        return ()
    negative = min(float((v.data < 0).float().mean()) for v in magnitude)
    if negative < 0.1 or any(bool((v.data < 0).any()) for v in phase):
        return ()
    what = f"{negative:.0%} of the magnitude is negative, none of the phase is"
    where = f"{magnitude[0].file.label}, {phase[0].file.label}"
    return (Finding("GD-316", Severity.REFUSE, where, what, "magnitude from 0", "exchange magnitude and phase"),)


def check_decay(magnitude: Sequence[Volume]) -> tuple[Finding, ...]:
    """Whether the echoes came in the wrong order: GD-326.

    Magnitude falls as exp(−R2*·TE). Files given from the last echo to the first grow from echo to echo instead,
    and their phase would turn the sign of susceptibility. Refused where the mean grows at every echo, and by more
    than :data:`GROWTH` in all; a signal that rises once by beating of fat and water passes.

    Args:
        magnitude: all echoes, in the order of their times.
    """
    means = [float(torch.nan_to_num(v.data, nan=0.0, posinf=0.0, neginf=0.0).double().mean()) for v in magnitude]
    grows = len(means) > 1 and means[0] > 0 and all(after > before for before, after in itertools.pairwise(means))
    if not grows or means[-1] < GROWTH * means[0]:
        return ()
    what = f"the mean magnitude grows from echo to echo, {means[-1] / means[0]:.3g} times in all"
    fix = "put the files, or the echoes of a 4-D file, into the order of the echo times"
    return (Finding("GD-326", Severity.REFUSE, magnitude[0].file.label, what, "a signal that decays", fix),)


def _alike(volumes: Sequence[Volume]) -> list[Finding]:
    seen: dict[str, str] = {}
    findings = []
    for volume in volumes:
        if volume.digest in seen:
            what, fix = f"the same values as {seen[volume.digest]}", "check that no file was copied over another"
            findings.append(Finding("GD-321", Severity.WARN, volume.file.label, what, "noise that differs", fix))
        seen.setdefault(volume.digest, volume.file.label)
    return findings


def _turned(first: Volume, b0_direction: tuple[float, float, float]) -> tuple[Grid | None, tuple[Finding, ...]]:
    """The grid for a stated B0: the least rotation that puts it along the world's z."""
    b0 = np.asarray(b0_direction, dtype=np.float64)
    length, grid = float(np.linalg.norm(b0)), first.image.grid
    allowed = "a vector in array axes that agrees with the header, if that has an orientation"
    fix = "leave --b0-direction out where headers give the orientation"
    if not (math.isfinite(length) and length > 0):
        return None, (
            Finding("GD-312", Severity.REFUSE, first.file.label, f"B0 direction {b0_direction}", allowed, fix),
        )
    b0 /= length
    if first.image.oriented:
        if float(b0 @ np.asarray(grid.b0_direction)) >= B0_TOLERANCE:
            return grid, ()
        what = f"B0 direction {b0_direction}, the header says {grid.b0_direction}"
        return None, (Finding("GD-312", Severity.REFUSE, first.file.label, what, allowed, fix),)
    x, y, z = b0
    if z < -1 + 1e-12:
        rotation = np.diag([1.0, -1.0, -1.0])
    else:  # Rodrigues' formula for the axis b0 × z
        cross = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
        rotation = np.eye(3) + cross + cross @ cross / (1 + z)
    affine = np.eye(4)
    affine[:3, :3] = rotation * grid.spacing
    along = ", ".join(f"{float(v):.4g}" for v in b0)
    what = f"no orientation; B0 is taken along ({along}) in array axes, left and right stay unknown"
    note = Finding(
        "GD-213", Severity.WARN, first.file.label, what, "an orientation in the header", "export again with it"
    )
    return Grid.from_affine(grid.shape, affine), (note,)


def _described(grid: Grid) -> str:
    spacing = "×".join(f"{s:g}" for s in grid.spacing)
    origin = ", ".join(f"{float(v):g}" for v in grid.matrix[:3, 3])
    return f"{'×'.join(map(str, grid.shape))} voxels of {spacing} mm from ({origin})"
