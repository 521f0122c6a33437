"""gradatim limits echo-times and optimise: sentences, JSON, targets, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from gradatim.cli.main import main
from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan
from gradatim.scanner.protocol.echo_plan import EchoPlan
from gradatim.scanner.protocol.image_noise import ImageNoise
from gradatim.scanner.system import System

SMALL = ("--matrix", "48", "48", "16", "--fov-mm", "220", "220", "80", "--echoes", "3", "--scan-time", "4")
T2STAR = ("optimise", "t2star", *SMALL)
SUSCEPTIBILITY = ("optimise", "susceptibility", *SMALL)
DIFFUSION = ("optimise", "diffusion", "--matrix", "64", "64", "--slices", "10")
PLAN = ("echo-times", "--field-strength", "3", "--echo-times-ms")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["limits", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_plan_in_json_is_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, *PLAN, "3", "6.5", "10")
    times = torch.tensor([3.0, 6.5, 10.0], dtype=torch.float64) / 1e3
    plan = EchoPlan(42.577478461 * 3, 42.577478461 * 0.3)(times)
    assert found["steps_rad"] == pytest.approx(plan.steps.tolist(), rel=1e-9)
    assert found["field_error_hz"] == pytest.approx(plan.field_error, rel=1e-9)
    assert found["susceptibility_error_ppm"] == pytest.approx(plan.field_error / 127.732435 * 4.112, rel=1e-3)
    assert found["safe_between_echoes"]
    assert found["safe_in_space"]


def test_a_plan_in_sentences_says_what_is_not_safe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", *PLAN, "4", "8", "12"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert "NOT safe for offsets of 1 ppm" in lines[4]
    assert lines[5].endswith("unwrap in space")
    assert main(["limits", *PLAN, "3", "6.5"]) == 0
    assert "NOT" not in capsys.readouterr().out


@pytest.mark.parametrize(("words", "unit"), [(T2STAR, "s"), (SUSCEPTIBILITY, "ppm")])
def test_best_echoes_in_json_and_in_sentences(
    words: tuple[str, ...], unit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, *words)
    assert len(found["echo_times_s"]) == 3
    assert found["echo_times_s"] == sorted(found["echo_times_s"])
    assert found["repetition_s"] * 48 * 16 * found["averages"] <= 4.0
    assert 0 < found[f"error_before_rounding_{unit}"] < 1.2 * found[f"error_{unit}"]
    assert set(found["elasticity"]) == {"max_gradient", "max_slew", "scan_time"}
    assert "voxel_m" not in found
    assert main(["limits", *words]) == 0
    shown = capsys.readouterr().out
    assert f"{1e3 * found[f'error_{unit}']:.4g} {'ms' if unit == 's' else 'ppb'} a voxel" in shown
    assert ", ".join(f"{1e3 * time:.2f}" for time in found["echo_times_s"]) in shown


def test_offsets_hold_echoes_together(capsys: pytest.CaptureFixture[str]) -> None:
    times = said(capsys, *SUSCEPTIBILITY, "--max-offset-ppm", "2")["echo_times_s"]
    assert times[1] - times[0] <= 0.5 / (2 * 127.732) + 1e-9


def test_the_best_weighting_is_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, *DIFFUSION)
    scan = DiffusionScan((64, 64), (0.22, 0.22, 0.003), slices=10, scan_time=60.0, noise=ImageNoise(100.0, 1e-9, 10.0))
    best = BestDiffusion(scan)(System())
    assert found["b_s_per_m2"] == pytest.approx(best.b, rel=1e-9)
    assert found["error_m2_per_s"] == pytest.approx(best.delivered_error, rel=1e-9)
    assert main(["limits", *DIFFUSION]) == 0
    assert f"b = {best.b / 1e6:.0f} s/mm²" in capsys.readouterr().out


def test_a_target_finds_the_finest_voxel(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, *DIFFUSION, "--target-error", "0.05")
    assert found["error_m2_per_s"] <= 0.05e-9 < found["error_of_next_finer_m2_per_s"]
    assert found["voxel_m"][0] == pytest.approx(0.22 / found["matrix"][0])
    scan = DiffusionScan((64, 64), (0.22, 0.22, 0.003), slices=10, scan_time=60.0, noise=ImageNoise(100.0, 1e-9, 10.0))
    finer = BestDiffusion(replace(scan.with_readout(found["matrix"][0] + 1))).delivered_error(System())
    assert finer == pytest.approx(found["error_of_next_finer_m2_per_s"], rel=1e-9)
    assert main(["limits", *DIFFUSION, "--target-error", "0.05"]) == 0
    assert capsys.readouterr().out.startswith(f"finest voxel: {220 / found['matrix'][0]:.3g} × ")


def test_a_target_of_susceptibility_is_in_ppb(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, *SUSCEPTIBILITY, "--target-error", "5")
    finer = found["error_of_next_finer_ppm"]
    assert found["error_ppm"] <= 0.005
    assert finer is None or finer > 0.005


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((*PLAN, "4"), "GD-190"),
        ((*PLAN, "8", "4"), "GD-190"),
        ((*PLAN, "4", "4"), "GD-190"),
        ((*PLAN, "0.004", "0.008"), "GD-159"),
        ((*PLAN, "nan", "8"), "GD-159"),
        (("echo-times", "--echo-times-ms", "4", "8", "--field-strength", "3000"), "GD-159"),
        (("echo-times", "--echo-times-ms", "4", "8", "--field-strength", "nan"), "GD-159"),
        ((*PLAN, "4", "8", "--t2-star-ms", "0.03"), "GD-159"),
        ((*PLAN, "4", "8", "--max-offset-ppm", "1e300"), "GD-159"),
        ((*PLAN, "4", "8", "--slope-ppm", "-1"), "GD-159"),
        ((*PLAN, "4", "8", "--max-offset-ppm", "0"), "GD-101"),
        ((*PLAN, "4", "8", "--snr", "0"), "GD-101"),
        ((*PLAN, "4", "8", "--risk", "1"), "GD-101"),
        ((*T2STAR, "--t2-star-ms", "0.03"), "GD-159"),
        ((*T2STAR, "--t1-ms", "1.2"), "GD-159"),
        ((*T2STAR, "--scan-time", "1e9"), "GD-159"),
        ((*T2STAR, "--scan-time", "nan"), "GD-159"),
        ((*T2STAR, "--scan-time", "0.2"), "GD-191"),
        ((*T2STAR, "--fov-mm", "0.22", "0.22", "0.08"), "GD-159"),
        ((*T2STAR, "--matrix", "0", "0", "0"), "GD-101"),
        ((*T2STAR, "--matrix", "1000000000", "100000000", "10000000"), "GD-101"),
        ((*T2STAR, "--echoes", "1"), "GD-101"),
        ((*T2STAR, "--echoes", "1000000000"), "GD-101"),
        ((*T2STAR, "--least-bandwidth", "nan"), "GD-101"),
        ((*T2STAR, "--reference-snr", "-1"), "GD-101"),
        ((*T2STAR, "--gmax", "40"), "GD-159"),
        ((*SUSCEPTIBILITY, "--max-offset-ppm", "-1"), "GD-159"),
        ((*SUSCEPTIBILITY, "--max-offset-ppm", "90"), "GD-192"),
        ((*SUSCEPTIBILITY, "--field-strength", "0"), "GD-159"),
        ((*SUSCEPTIBILITY, "--target-error", "-5"), "GD-199"),
        ((*DIFFUSION, "--slice-mm", "0.003"), "GD-159"),
        ((*DIFFUSION, "--slice-mm", "-3"), "GD-159"),
        ((*DIFFUSION, "--diffusivity-um2-per-ms", "8e-10"), "GD-159"),
        ((*DIFFUSION, "--t2-ms", "0.08"), "GD-159"),
        ((*DIFFUSION, "--slices", "0"), "GD-101"),
        ((*DIFFUSION, "--slices", "100000"), "GD-101"),
        ((*DIFFUSION, "--scan-time", "0.5"), "GD-191"),
        ((*DIFFUSION, "--scan-time", "1e30"), "GD-159"),
        ((*DIFFUSION, "--target-error", "nan"), "GD-199"),
        ((*DIFFUSION, "--target-error", "1e-12"), "GD-198"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(
    words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["limits", *words]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith(f"gradatim: {code}: ")
