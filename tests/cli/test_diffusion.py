"""gradatim diffusion: maps and decays on the command line, and what is refused before anything is written."""

import json
import math
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.nifti import read_image
from gradatim.io.nifti_write import write_nifti

GRID = Grid((4, 4, 3), (2.0, 2.0, 2.0))
AXES = torch.tensor([1.7e-9, 0.3e-9, 0.3e-9], dtype=torch.float64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A uniform object, fastest along x, 20 directions at two weightings, noise of 0.5 %."""
    i = torch.arange(20, dtype=torch.float64) + 0.5
    z, turn = 1.0 - i / 20, i * math.pi * (3.0 - math.sqrt(5.0))
    across = (1.0 - z.square()).sqrt()
    g = torch.stack([across * turn.cos(), across * turn.sin(), z], 1)
    g = torch.cat([torch.zeros(2, 3, dtype=torch.float64), g, g])
    b = torch.tensor([0.0] * 2 + [1000.0] * 20 + [2000.0] * 20, dtype=torch.float64)
    clean = 1000.0 * torch.exp(-1e6 * b * (g.square() * AXES).sum(1))
    random = torch.Generator().manual_seed(0)
    data = clean.reshape(-1, 1, 1, 1) + 5.0 * torch.randn(42, *GRID.shape, generator=random, dtype=torch.float64)
    write_nifti(tmp_path / "dwi.nii.gz", data.float(), GRID)
    mask = torch.ones(GRID.shape, dtype=torch.bool)
    mask[0] = False
    write_nifti(tmp_path / "mask.nii.gz", mask, GRID)
    (tmp_path / "dwi.bval").write_text(" ".join(f"{v:g}" for v in b))
    (tmp_path / "dwi.bvec").write_text("\n".join(" ".join(f"{v:.9f}" for v in row) for row in g.T))
    h = g * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)  # along the array's axes, the grid being right-handed
    places = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    lines = "\n".join(
        " ".join(f"{weight * v[i] * v[j]:.6f}" for i, j in places)
        for weight, v in zip(b.tolist(), h.tolist(), strict=True)
    )
    (tmp_path / "dwi.bmat").write_text(lines)
    return tmp_path


def words(folder: Path, step: str, *rest: str) -> list[str]:
    line = ["diffusion", step, "@dwi.nii.gz", "--bval", "@dwi.bval", "--bvec", "@dwi.bvec", "--out", "@out", *rest]
    return [str(folder / word[1:]) if word.startswith("@") else word for word in line]


def test_a_tensor_gives_maps_with_errors_and_sidecars(folder: Path, capsys) -> None:
    assert main(words(folder, "tensor", "--mask", "@mask.nii.gz", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    fa = 1.4 / math.sqrt(1.7**2 + 2 * 0.3**2)
    assert found["maps"]["FA"]["mean"] == pytest.approx(fa, abs=5e-3)
    assert found["maps"]["MD"]["mean"] == pytest.approx(AXES.mean().item(), rel=0.01)
    assert found["voxels"] == 36
    assert found["verdicts"]["fitted"] == 36
    image = read_image(folder / "out" / "MD.nii.gz")
    assert image.grid.same_space(GRID)
    assert float(image.data[0].abs().max()) == 0.0
    colours = read_image(folder / "out" / "RGB.nii.gz").data
    assert float(colours[0, 1:].mean()) > 0.7 > 0.1 > float(colours[1:, 1:].mean())
    said = json.loads((folder / "out" / "FA_error.json").read_text())
    assert said["Description"] == "standard error of fractional anisotropy"
    assert set(said["Inputs"]) == {"series", "bval", "bvec", "mask"}
    assert said["Parameters"]["fit"]["method"] == "WeightedTensor"
    assert json.loads((folder / "out" / "MD.json").read_text())["Units"] == "m²/s"
    assert json.loads((folder / "out" / "verdict.json").read_text())["Levels"]["0"]


def test_b_matrices_say_the_same(folder: Path, capsys) -> None:
    assert main(words(folder, "tensor", "--json")) == 0
    by_direction = json.loads(capsys.readouterr().out)["maps"]
    line = ["diffusion", "tensor", str(folder / "dwi.nii.gz"), "--bmatrix", str(folder / "dwi.bmat")]
    assert main([*line, "--out", str(folder / "whole"), "--json"]) == 0
    by_matrix = json.loads(capsys.readouterr().out)["maps"]
    for name in ("FA", "MD", "AD", "RD", "S0"):
        assert by_matrix[name]["mean"] == pytest.approx(by_direction[name]["mean"], rel=1e-5)


@pytest.mark.parametrize("rest", [("--positive",), ("--positive", "--rician", "5"), ("--rounds", "3")])
def test_other_fits_of_the_tensor_agree_on_a_clear_signal(rest: tuple[str, ...], folder: Path, capsys) -> None:
    assert main(words(folder, "tensor", *rest, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["maps"]["MD"]["mean"] == pytest.approx(AXES.mean().item(), rel=0.01)


def test_kurtosis_of_a_gaussian_is_none(folder: Path, capsys) -> None:
    assert main(words(folder, "kurtosis", "--json")) == 0
    found = json.loads(capsys.readouterr().out)["maps"]
    for name in ("MK", "AK", "RK", "MKT"):
        assert abs(found[name]["mean"]) < 0.05
    assert (folder / "out" / "MK_error.nii.gz").exists()


@pytest.mark.parametrize("rest", [(), ("--nonlinear",), ("--rician", "5")])
def test_adc_for_a_reader(rest: tuple[str, ...], folder: Path, capsys) -> None:
    assert main(words(folder, "adc", *rest)) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "voxels  48 in the mask: 48 fitted"
    assert "ADC     mean " in said
    assert {path.name for path in (folder / "out").glob("*.nii.gz")} == {
        "ADC.nii.gz", "ADC_error.nii.gz", "S0.nii.gz", "S0_error.nii.gz", "verdict.nii.gz"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("step", "rest", "code", "status"),
    [
        ("tensor", ("--bmatrix", "@dwi.bmat"), "GD-104", 2),
        ("tensor", ("--rician", "5"), "GD-104", 2),
        ("tensor", ("--positive", "--rician", "0"), "GD-187", 2),
        ("tensor", ("--rounds", "0"), "GD-186", 2),
        ("tensor", ("--bval", "@dwi.bvec"), "GD-247", 3),
        ("kurtosis", ("--bval", "@gone.bval"), "GD-222", 3),
        ("adc", ("--out", "@dwi.bval"), "GD-107", 2),
        ("adc", ("--rician", "nan"), "GD-187", 2),
    ],
)
def test_what_does_not_fit_is_refused(step: str, rest, code: str, status: int, folder: Path, capsys) -> None:
    assert main(words(folder, step, *rest)) == status
    assert code in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_an_output_never_takes_the_place_of_an_input(folder: Path, capsys) -> None:
    (folder / "dwi.nii.gz").rename(folder / "FA.nii.gz")
    line = [str(folder / "FA.nii.gz") if word.endswith("dwi.nii.gz") else word for word in words(folder, "tensor")]
    line[line.index("--out") + 1] = str(folder)
    assert main(line) == 2
    assert "GD-107" in capsys.readouterr().err
    assert not (folder / "MD.nii.gz").exists()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Water and something tenfold slower, in gradients of 0.02 to 0.5 T/m, δ 2 ms, Δ 50 ms."""
    gradient = torch.linspace(0.02, 0.5, 32, dtype=torch.float64)
    b = (2.0 * math.pi * 42.577478461e6 * gradient * 0.002) ** 2 * (0.05 - 0.002 / 3)
    noise = torch.randn(32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    signal = 60.0 * torch.exp(-b * 2.2995e-9) + 40.0 * torch.exp(-b * 2e-10) + 0.2 * noise
    rows = "\n".join(f"{g:.8f},{s:.8f}" for g, s in zip(gradient.tolist(), signal.tolist(), strict=True))
    (tmp_path / "decay.csv").write_text(f"gradient [T/m],signal\n{rows}\n")
    return tmp_path / "decay.csv"


TIMING = ("--small-delta-ms", "2", "--big-delta-ms", "50")


def test_dosy_finds_two_components_and_draws(table: Path, capsys) -> None:
    picture = table.with_name("spectrum.svg")
    assert main(["diffusion", "dosy", str(table), *TIMING, "--picture", str(picture), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    slow, fast = found["components"]
    assert slow["low"] <= 2e-10 <= slow["high"]
    assert fast["low"] <= 2.2995e-9 <= fast["high"]
    assert fast["share"] == pytest.approx(0.6, abs=0.03)
    assert len(found["spectrum"]["amplitude"]) == 80
    assert picture.read_text().startswith("<?xml") or "<svg" in picture.read_text()


def test_dosy_for_a_reader(table: Path, capsys) -> None:
    assert main(["diffusion", "dosy", str(table), *TIMING]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["single", "component", "component", "left"]


def test_a_signal_that_grows_with_b_is_said(tmp_path: Path, capsys) -> None:
    table = tmp_path / "reversed.csv"
    table.write_text("b [s/m2],signal\n" + "".join(f"{k}e8,{2**k + 0.01 * (k % 3)}\n" for k in range(9)))
    assert main(["diffusion", "dosy", str(table)]) == 0
    assert "the signal grows with b" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rest", "code", "status"),
    [
        ((), "GD-104", 2),
        (("--small-delta-ms", "2"), "GD-104", 2),
        ((*TIMING, "--lobes", "half-sin"), "GD-102", 2),
        ((*TIMING, "--sigma", "0"), "GD-187", 2),
        (("--small-delta-ms", "60", "--big-delta-ms", "50"), "GD-805", 3),
        (("--small-delta-ms", "nan", "--big-delta-ms", "50"), "GD-159", 2),
        ((*TIMING, "--picture", "decay.png"), "GD-107", 2),
    ],
)
def test_dosy_refuses(rest: tuple[str, ...], code: str, status: int, table: Path, capsys) -> None:
    assert main(["diffusion", "dosy", str(table), *rest]) == status
    assert code in capsys.readouterr().err
    assert main(["diffusion", "dosy", str(table), *TIMING, "--picture", str(table)]) == 2
    assert "GD-107" in capsys.readouterr().err


@pytest.mark.parametrize(
    "timing",
    [("--small-delta-ms", "0.002", "--big-delta-ms", "50"), ("--small-delta-ms", "2", "--big-delta-ms", "0.05")],
)
def test_seconds_typed_as_milliseconds_are_refused(timing: tuple[str, ...], table: Path, capsys) -> None:
    assert main(["diffusion", "dosy", str(table), *timing]) == 2
    assert "GD-159" in capsys.readouterr().err


def test_weightings_in_another_unit_are_doubted(tmp_path: Path, capsys) -> None:
    rows = [f"{0.2e9 * i},{math.exp(-2.3e-9 * 0.2e9 * i) + 0.002 * (i % 3)}" for i in range(12)]  # of water, in s/m²
    (tmp_path / "decay.csv").write_text("\n".join(["b [s/mm2],signal", *rows]))
    assert main(["diffusion", "dosy", str(tmp_path / "decay.csv")]) == 0
    assert "check the units" in capsys.readouterr().err
