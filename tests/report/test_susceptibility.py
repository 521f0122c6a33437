"""The page of a susceptibility map: what it shows is what the chain found, whoever named the regions."""

import functools
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import Regions
from gradatim.io.echo_series import EchoSeries
from gradatim.io.multiecho import LoadedEchoes
from gradatim.io.phase_units import Confidence, PhaseScaling, PhaseSign
from gradatim.pipelines.beside_truth import BesideTruth, beside_truth
from gradatim.pipelines.methods_text import methods_text
from gradatim.pipelines.provenance import provenance
from gradatim.pipelines.quality import quality
from gradatim.pipelines.scan_run import CompletedScan
from gradatim.pipelines.simulated_dataset import Truth
from gradatim.qsm.score import ChallengeScore
from gradatim.report.comparison import Comparison, Panel
from gradatim.report.content import Report
from gradatim.report.region_chapter import MOST_PLOTTED, region_chapter
from gradatim.report.render import render
from gradatim.report.susceptibility import susceptibility_report
from tests.pipelines.heads import QUICK, head, scan

HOSTILE = "<script>alert(1)</script>\u202e\x1b[2J"


@functools.cache
def completed(name: str = "white") -> CompletedScan:
    signal = scan().signal
    regions = Regions(head().regions.labels, signal.grid, {7: name, 8: "grey"})
    result = QUICK.route(signal, mask=head().mask, regions=regions, case="sub-01", progress=lambda stage, share: None)
    scaling = PhaseScaling(1.0, 0.0, "units", Confidence.AGREED, "phase is in rad")
    loaded = LoadedEchoes(signal, EchoSeries("01", "", (), "MEGRE", ()), scaling, PhaseSign.GROWS, ())
    record = provenance(loaded, result, QUICK.route, ())
    return CompletedScan("sub-01", loaded, result, QUICK.route, methods_text(QUICK.route), record)


def truth() -> BesideTruth:
    simulated, drawn = scan(), head()
    true = Truth(simulated.susceptibility, simulated.total, simulated.local, simulated.r2_star, drawn.regions)
    return beside_truth(completed().result, true)


def section(report: Report, title: str):
    return next(each for each in report.sections if each.title == title)


def test_the_mask_table_counts_what_the_stages_counted() -> None:
    result = completed().result
    stages, _ = section(susceptibility_report(completed()), "Mask and phase").tables
    assert [row[1] for row in stages.rows] == [stage.voxels for stage in result.stages]
    assert sum(row[3] for row in stages.rows) == result.stages[0].voxels - result.stages[-1].voxels
    assert stages.rows[-1][2] == pytest.approx(100 * quality(result).kept)


def test_the_verdicts_are_the_numbers_of_the_result() -> None:
    result, report = completed().result, susceptibility_report(completed())
    kept, wraps, error, *_ = report.verdicts
    assert kept.number == pytest.approx(100 * int(result.susceptibility.mask.sum()) / int(head().mask.sum()))
    known = result.susceptibility.mask
    shares = [100 * int((suspect & known).sum()) / int(known.sum()) for suspect in result.wraps.suspect]
    assert wraps.number == pytest.approx(max(shares))
    assert error.number == pytest.approx(1000 * float(result.total.error_ppm[result.total.mask].median()))


@pytest.mark.parametrize(("share", "level"), [(0.9, "good"), (0.7, "warn"), (0.4, "bad")])
def test_a_lost_mask_is_judged(share: float, level: str) -> None:
    whole = completed()
    chi = whole.result.susceptibility
    order = torch.cumsum(head().mask.flatten().int(), 0).reshape(chi.mask.shape)
    part = head().mask & (order <= share * int(head().mask.sum()))
    shrunk = replace(whole.result, susceptibility=replace(chi, mask=part))
    assert susceptibility_report(replace(whole, result=shrunk)).verdicts[0].level == level


def test_what_did_not_settle_and_what_was_warned_of_stand_at_the_top() -> None:
    whole = completed()
    solutions = (("inversion", "the bound on iterations was reached before any other rule held", 60),)
    found = {"code": "GD-210", "severity": "warn", "where": "x.nii", "what": "thick", "allowed": "thin", "fix": "cut"}
    record = {**whole.provenance, "Findings": [found]}
    report = susceptibility_report(replace(whole, result=replace(whole.result, solutions=solutions), provenance=record))
    sentences = [verdict.sentence for verdict in report.verdicts if verdict.level == "warn"]
    assert any("inversion: the bound" in sentence for sentence in sentences)
    assert any("warning" in sentence for sentence in sentences)
    assert [fault.code for fault in report.faults] == ["GD-210"]


def test_the_region_table_is_the_feature_table() -> None:
    chapter = region_chapter(completed().result)
    rows = {row[0]: row for row in chapter.tables[0].rows}
    by_name = {(f.region, f.feature): f.value for f in completed().result.features if f.family == "statistics"}
    assert rows["white"][2] == by_name["white", "mean"]
    assert rows["white"][3] == pytest.approx(math.sqrt(by_name["white", "variance"]))
    assert rows["grey"][5] == by_name["grey", "median"]
    rates = {answer.question: answer for answer in completed().result.answers}
    assert rows["white"][7] == rates["mean R2* of white"].estimate
    assert [figure.mime for figure in chapter.figures] == ["image/svg+xml"] * 2


def test_no_region_and_very_many_regions() -> None:
    result = completed().result
    assert region_chapter(replace(result, features=(), answers=())).tables == ()
    features = tuple(replace(f, region=f"r{n}") for n in range(40) for f in result.features if f.region == "white")
    chapter = region_chapter(replace(result, features=features, answers=()))
    assert len(chapter.tables[0].rows) == 40
    assert f"r{MOST_PLOTTED - 1} " in chapter.figures[0].alt
    assert f"r{MOST_PLOTTED} " not in chapter.figures[0].alt


def test_the_truth_stands_beside_the_result() -> None:
    compared = truth()
    report = susceptibility_report(completed(), truth=compared)
    assert report.scene is not None
    assert [v.name for v in report.scene.volumes][:3] == [
        "Susceptibility",
        "True susceptibility",
        "Error of susceptibility",
    ]
    measures = {row[0]: row[2] for row in section(report, "Beside the truth").tables[0].rows}
    assert measures["NRMSE"] == compared.scores.nrmse
    inside = compared.mask
    assert float((compared.true + compared.error - completed().result.susceptibility.value)[inside].abs().max()) < 1e-6
    assert abs(float(compared.error[inside].double().mean())) < 1e-6


def test_a_perfect_result_scores_perfectly() -> None:
    simulated, drawn, result = scan(), head(), completed().result
    true = Truth(simulated.susceptibility, simulated.total, simulated.local, simulated.r2_star, drawn.regions)
    perfect = replace(result, susceptibility=simulated.susceptibility, total=simulated.total)
    compared = beside_truth(perfect, true, score=ChallengeScore())
    assert (compared.kept, compared.field_error_ppb) == (1.0, 0.0)
    assert compared.scores.nrmse < 1e-4


def test_a_hostile_region_name_is_text_on_the_page() -> None:
    page = render(susceptibility_report(completed(HOSTILE)))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert not {"\u202e", "\x1b"} & set(page)
    assert len(page.encode()) < 15_000_000


def test_the_page_says_what_ran_and_who_is_cited() -> None:
    page = render(susceptibility_report(completed()))
    assert "ThresholdedDivision" in page
    assert "Shmueli" in page
    assert "ParametersSHA256" in page
    assert "mean of the mask" in page


@pytest.mark.parametrize("heights", [(), (-0.1,), (1.1,)])
def test_a_comparison_of_no_slice_is_refused(heights: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        Comparison(heights)


def test_panels_lie_on_one_grid(tmp_path: Path) -> None:
    values = torch.zeros(3, 3, 3).numpy()
    with pytest.raises(UsageError, match="GD-103"):
        Comparison((0.5,))([Panel("x", values, (0.0, 1.0), "")], grid=scan().signal.grid)
