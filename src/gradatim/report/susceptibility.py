"""The report of a scan that went through the susceptibility route."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.pipelines.beside_truth import BesideTruth
from gradatim.pipelines.quality import Quality, quality
from gradatim.pipelines.scan_run import CompletedScan
from gradatim.pipelines.susceptibility import SusceptibilityResult
from gradatim.report.content import Column, Fault, Methods, Report, Section, Table, Verdict
from gradatim.report.figures import EchoMosaic, SliceMosaic
from gradatim.report.region_chapter import region_chapter
from gradatim.report.render import write_report
from gradatim.report.scene import Overlay, Scene, Volume
from gradatim.report.truth_chapter import truth_chapter, truth_volumes

CHI_WINDOW = (-0.15, 0.15)
"""ppm shown black and white: deep nuclei and veins lie inside, white matter's contrast stays visible."""

Level = Literal["good", "warn", "bad"]


def write_susceptibility_report(scan: CompletedScan, path: Path) -> None:
    """Write a scan's report.

    Args:
        scan: the scan.
        path: the page's path.

    Raises:
        ResourceError: GD-501, GD-520, GD-502 to GD-504 as :func:`gradatim.report.render.write_report`.
    """
    write_report(path, susceptibility_report(scan))


def susceptibility_report(scan: CompletedScan, *, truth: BesideTruth | None = None) -> Report:
    """What the page of a scan shows.

    Args:
        scan: the scan.
        truth: for a simulation, the result beside its truth.
    """
    result, worth = scan.result, quality(scan.result)
    shown = [f for f in scan.provenance["Findings"] if f["severity"] != "refuse"]
    return Report(
        title="Magnetic susceptibility",
        subtitle=_subtitle(scan),
        verdicts=(*_verdicts(worth, warnings=sum(f["severity"] == "warn" for f in shown)),),
        scene=_scene(result, truth),
        sections=(
            *((truth_chapter(result, truth),) if truth is not None else ()),
            _signal_chapter(result),
            _mask_chapter(result),
            region_chapter(result),
            _remarks_chapter(result),
        ),
        faults=tuple(Fault(f["where"], f["code"], f["what"], f["allowed"], f["fix"]) for f in shown),
        methods=Methods(scan.methods.paragraphs, scan.methods.references),
        provenance=scan.provenance,
    )


def _subtitle(scan: CompletedScan) -> str:
    signal = scan.result.signal
    edges = " × ".join(f"{edge:.3g}" for edge in signal.grid.spacing)
    parts = [scan.name, f"{signal.field_strength:.4g} T", f"{len(signal.echo_times)} echoes", f"{edges} mm"]
    return ", ".join(part for part in parts if part)


def _verdicts(worth: Quality, *, warnings: int) -> list[Verdict]:
    found = [
        Verdict(
            _level(worth.kept, good=0.85, fair=0.6),
            "of the brain has a susceptibility (good from 85 %)",
            100.0 * worth.kept,
            "%",
        ),
        Verdict(
            _level(-worth.wraps, good=-0.005, fair=-0.03),
            "of those voxels look a phase turn off in the worst echo (good up to 0.5 %)",
            100.0 * worth.wraps,
            "%",
        ),
        Verdict(
            _level(-worth.field_error_ppb, good=-5.0, fair=-20.0),
            "median standard error of the field (good up to 5 ppb)",
            worth.field_error_ppb,
            "ppb",
        ),
        Verdict("warn", f"not settled: {'; '.join(worth.unsettled)}")
        if worth.unsettled
        else Verdict("good", "every iteration ended by a rule on quality"),
    ]
    if warnings:
        found.append(Verdict("warn", "warning(s) about the input, listed under Errors", warnings))
    return found


def _level(value: float, *, good: float, fair: float) -> Level:
    return "good" if value >= good else "warn" if value >= fair else "bad"


def _scene(result: SusceptibilityResult, truth: BesideTruth | None) -> Scene:
    grid, chi, rate = result.signal.grid, result.susceptibility, result.relaxation.r2star
    first = result.signal.magnitude[0]
    total, local, brain = result.total, result.local, result.unwrapped.mask
    volumes = (
        _volume("Susceptibility", "ppm", chi.value, grid, CHI_WINDOW, chi.mask),
        *(truth_volumes(truth, grid, CHI_WINDOW) if truth is not None else ()),
        _volume("Local field", "Hz", local.field, grid, even_window(local.field, local.mask), local.mask),
        _volume("R2*", "1/s", rate.value, grid, (0.0, top_of(rate.value, rate.mask)), rate.mask),
        _volume("Magnitude, first echo", "", first, grid, (0.0, top_of(first, brain)), None),
        _volume("Total field", "Hz", total.field, grid, even_window(total.field, total.mask), total.mask),
        _volume(
            "Error of the total field", "Hz", total.error, grid, (0.0, top_of(total.error, total.mask)), total.mask
        ),
    )
    regions = result.regions
    overlays = [
        Overlay("Brain", _host(brain), grid, {1: "brain"}),
        Overlay("Susceptibility known", _host(chi.mask), grid, {1: "susceptibility known"}),
    ]
    if regions.present:
        names = {label: regions.name(label) for label in regions.present}
        overlays.append(Overlay("Regions", _host(regions.labels), grid, names))
    return Scene(volumes, tuple(overlays), crop=_host(brain))


def _volume(
    name: str, unit: str, values: Tensor, grid: Grid, window: tuple[float, float], mask: Tensor | None
) -> Volume:
    return Volume(name, unit, _host(values), grid, window, None if mask is None else _host(mask))


def _signal_chapter(result: SusceptibilityResult) -> Section:
    signal, brain = result.signal, _host(result.unwrapped.mask)
    maps = (
        ("Susceptibility", "ppm", CHI_WINDOW, result.susceptibility.value, result.susceptibility.mask),
        (
            "Total field",
            "Hz",
            even_window(result.total.field, result.total.mask),
            result.total.field,
            result.total.mask,
        ),
        (
            "Local field",
            "Hz",
            even_window(result.local.field, result.local.mask),
            result.local.field,
            result.local.mask,
        ),
    )
    return Section(
        "Echoes, field and map",
        figures=(
            EchoMosaic()(
                _host(signal.magnitude), _host(signal.phase), grid=signal.grid, echo_times=signal.echo_times, mask=brain
            ),
            *(
                SliceMosaic(name, unit, window)(_host(values), grid=signal.grid, mask=_host(mask))
                for name, unit, window, values, mask in maps
            ),
        ),
    )


def _mask_chapter(result: SusceptibilityResult) -> Section:
    first = result.stages[0].voxels
    before = [stage.voxels for stage in result.stages[:1] + result.stages[:-1]]
    columns = (Column("Stage"), Column("Voxels"), Column("Of the first", "%"), Column("Lost here"), Column("Why"))
    rows = tuple(
        (stage.name, stage.voxels, 100.0 * stage.voxels / first, last - stage.voxels, stage.reason)
        for stage, last in zip(result.stages, before, strict=True)
    )
    turns = tuple(
        (f"{1000.0 * time:.4g}", 100.0 * share)
        for time, share in zip(result.signal.echo_times, result.wraps.fraction, strict=True)
    )
    return Section(
        "Mask and phase",
        tables=(
            Table("How much of the mask each stage kept", columns, rows),
            Table("Voxels that look a turn off", (Column("Echo time", "ms"), Column("Of the mask", "%")), turns),
        ),
    )


def _remarks_chapter(result: SusceptibilityResult) -> Section:
    columns = (Column("Iteration"), Column("Why it stopped"), Column("Iterations"))
    return Section(
        "Remarks",
        paragraphs=(
            f"Zero susceptibility is the {result.susceptibility.reference}.",
            *(f"{note[:1].upper()}{note[1:]}." for note in result.notes),
        ),
        tables=(Table("Why each iteration stopped", columns, result.solutions),) if result.solutions else (),
    )


def even_window(values: Tensor, mask: Tensor) -> tuple[float, float]:
    """A window from −a to a that holds 99 % of the values in a mask."""
    top = top_of(values.abs(), mask)
    return -top, top


def top_of(values: Tensor, mask: Tensor) -> float:
    """The 99th percentile of the values in a mask, rounded to two digits; 1 where that is not positive."""
    inside = _host(values)[_host(mask)]
    inside = inside[np.isfinite(inside)]
    top = float(np.percentile(inside, 99.0)) if inside.size else 0.0
    return float(f"{top:.2g}") if top > 0 else 1.0


def _host(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu())
