"""From a scanner's gradients to susceptibility: a sequence written, played to a simulated object, and inverted.

    python examples/gradients_to_susceptibility.py OUT

writes OUT/megre.seq (a 3-D multi-echo gradient echo, by the command line), reads it back as anybody's scanner would,
plays it to an object of known susceptibility with noise, reconstructs the echoes, runs the chain of quantitative
susceptibility mapping, and prints the susceptibility of each insert beside the truth. OUT/report.png shows both.
"""

import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho, Regions
from gradatim.base.units import hz_per_ppm
from gradatim.cli.main import main as gradatim
from gradatim.io.pulseq import read_pulseq
from gradatim.linop.dipole import Dipole
from gradatim.pipelines.susceptibility import SusceptibilityResult, SusceptibilityRoute
from gradatim.qsm.reference import RegionMean
from gradatim.scanner.reconstruct.cartesian import Cartesian
from gradatim.scanner.reconstruct.echoes import Echoes
from gradatim.scanner.simulate.fourier_encoding import FourierEncoding
from gradatim.scanner.simulate.noise import with_noise
from gradatim.scanner.simulate.single_pathway import FromSteadyState
from gradatim.scanner.simulate.spins import voxel_spins

FIELD_STRENGTH = 3.0
MATRIX, EXTENT_MM = (48, 48, 24), (120.0, 120.0, 60.0)
FINER = 2
INSERTS = {  # centre and radius in mm, susceptibility in ppm against the medium, R2' in 1/s
    "iron, high": ((22.0, 0.0, 0.0), 9.0, 0.20, 20.0),
    "iron, low": ((-22.0, 10.0, 2.0), 8.0, 0.08, 8.0),
    "calcium": ((0.0, -24.0, -3.0), 8.0, -0.10, 10.0),
}
BODY_RADII = (50.0, 44.0, 26.0)
AIR = ((0.0, 56.0, -10.0), 9.0, 9.0)
"""Centre, radius in mm and susceptibility in ppm of a cavity beside the body: a background to remove."""


def object_on(grid: Grid) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Susceptibility in ppm, R2' in 1/s, the body, and a label for each insert, on a grid."""
    places = [(torch.arange(n) - n // 2) * edge for n, edge in zip(grid.shape, grid.spacing, strict=True)]
    at = torch.stack(torch.meshgrid(*places, indexing="ij"), -1).to(torch.float64)
    body = (at / torch.tensor(BODY_RADII)).square().sum(-1) <= 1
    susceptibility, broadening = torch.zeros(grid.shape).double(), torch.full(grid.shape, 5.0).double()
    labels = torch.zeros(grid.shape, dtype=torch.int64)
    for label, (centre, radius, ppm, r2_prime) in enumerate(INSERTS.values(), 1):
        inside = (at - torch.tensor(centre)).square().sum(-1) <= radius**2
        susceptibility[inside], broadening[inside], labels[inside] = ppm, 5.0 + r2_prime, label
    susceptibility[(at - torch.tensor(AIR[0])).square().sum(-1) <= AIR[1] ** 2] = AIR[2]
    return susceptibility, broadening, body, labels


def scanned(path: Path) -> MultiEcho:
    """Echoes of the object as the sequence in a file sees it."""
    fine = Grid(tuple(FINER * n for n in MATRIX), tuple(e / n / FINER for e, n in zip(EXTENT_MM, MATRIX, strict=True)))
    susceptibility, broadening, body, _ = object_on(fine)
    field_ppm = Dipole(fine.shape, fine.spacing).apply(susceptibility)
    offset = (field_ppm - field_ppm[body].mean()) * hz_per_ppm(FIELD_STRENGTH)
    spins = voxel_spins(fine, density=body.double(), t1=1.0, t2=0.080, offset=offset, t2_prime=1 / broadening)
    raw = FourierEncoding(start=FromSteadyState())(read_pulseq(path), spins)
    noise = 0.01 * float(raw.samples.abs().max()) / MATRIX[0]
    return Echoes(Cartesian(), FIELD_STRENGTH)(with_noise(raw, standard_deviation=noise, seed=1))


def drawn(result: SusceptibilityResult, truth: Tensor, path: Path) -> None:
    """The middle slice of magnitude, phase, recovered and true susceptibility."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    middle = MATRIX[2] // 2
    panels = [
        ("magnitude, last echo", result.signal.magnitude[-1, :, :, middle], "gray", None),
        ("phase, last echo (rad)", result.signal.phase[-1, :, :, middle], "twilight", 3.14),
        ("susceptibility (ppm)", result.susceptibility.value[:, :, middle], "gray", 0.2),
        ("truth (ppm)", truth[:, :, middle], "gray", 0.2),
    ]
    for place, (title, image, colours, limit) in enumerate(panels, 1):
        axis = figure.add_subplot(1, 4, place)
        shown = axis.imshow(image.T, origin="lower", cmap=colours, vmin=None if limit is None else -limit, vmax=limit)
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
        figure.colorbar(shown, ax=axis, shrink=0.7)
    figure.savefig(path, dpi=110)


def main(out: Path) -> int:
    """Run the chain; 0 if the sequence could be written."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "megre.seq"
    written = gradatim(
        [
            *("sequence", "megre", "--out", str(path), "--echoes", "5", "--echo-spacing-ms", "5", "--dummies", "0"),
            *("--matrix", *map(str, MATRIX[:2]), "--partitions", str(MATRIX[2])),
            *("--fov-mm", *map(str, EXTENT_MM[:2]), "--thickness-mm", str(EXTENT_MM[2])),
            *("--dwell-us", "10", "--pulse-ms", "0", "--repetition-time-ms", "40"),
        ]
    )
    if written:
        return written
    signal = scanned(path)
    susceptibility, _, body, labels = object_on(signal.grid)
    truth = torch.where(body, susceptibility, 0.0)
    labels = torch.where(body & (labels == 0), len(INSERTS) + 1, labels)
    names = dict(enumerate([*INSERTS, "medium"], 1))
    regions = Regions(labels, signal.grid, names)
    route = SusceptibilityRoute(reference=RegionMean(regions, len(INSERTS) + 1))
    result = route(signal, mask=body, regions=regions, progress=lambda stage, _: print(f"  {stage}", file=sys.stderr))
    chi = result.susceptibility
    print(f"echo times {', '.join(f'{1e3 * time:.2f}' for time in signal.echo_times)} ms")
    print(f"{'insert':<12}{'truth':>8}{'found':>9}{'error':>9}  ppm")
    for label, (name, (_, _, ppm, _)) in enumerate(INSERTS.items(), 1):
        found = float(chi.value[(labels == label) & chi.mask].mean())
        print(f"{name:<12}{ppm:8.3f}{found:9.3f}{found - ppm:+9.3f}")
    drawn(result, truth, out / "report.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("gradients-to-susceptibility")))
