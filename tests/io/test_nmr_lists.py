"""Lists of spectrometers, made by hand; a processed series as nmrglue writes it; decays as tables."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.io.decay_table import read_decay
from gradatim.io.nmr_lists import GradientUnit, read_delay_list, read_gradient_list
from gradatim.io.nmr_series import NmrSeries, read_bruker_series

glued = pytest.mark.skipif(importlib.util.find_spec("nmrglue") is None, reason="needs the extra nmr")


def test_gradients_in_every_unit_are_the_same(tmp_path: Path) -> None:
    texts = {
        GradientUnit.GAUSS_PER_CM: ("1.0\n25\n50\n", None),
        GradientUnit.TESLA_PER_M: ("0.01\n0.25\n0.5\n", None),
        GradientUnit.PER_CENT: ("2\n50\n100\n", 0.5),
        GradientUnit.SHARE: ("##TITLE= ramp\n##JCAMP-DX= 5.00\n0.02\n0.5\n1.0\n##END=\n", 0.5),
    }
    for unit, (text, largest) in texts.items():
        (tmp_path / "list").write_text(text)
        found = read_gradient_list(tmp_path / "list", unit=unit, largest=largest)
        assert found.tolist() == pytest.approx([0.01, 0.25, 0.5], rel=1e-12)


def test_the_unit_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("50\n")
    for unit, largest in ((GradientUnit.PER_CENT, None), (GradientUnit.TESLA_PER_M, 0.5), (GradientUnit.SHARE, -1.0)):
        with pytest.raises(UsageError, match="GD-189"):
            read_gradient_list(tmp_path / "list", unit=unit, largest=largest)
    with pytest.raises(InputError, match="GD-256"):
        read_gradient_list(tmp_path / "list", unit=GradientUnit.SHARE, largest=0.5)  # 50 is a per cent, not a share


@pytest.mark.parametrize("text", ["", "1 2\n3 4\n", "nan\n", "one\n", "\0\0\1"])
def test_what_is_no_list_of_gradients_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "difflist").write_text(text)
    with pytest.raises(InputError, match="GD-256"):
        read_gradient_list(tmp_path / "difflist", unit=GradientUnit.GAUSS_PER_CM)


def test_delays_with_and_without_units(tmp_path: Path) -> None:
    (tmp_path / "vdlist").write_text("5u\n 20m \n1.5s\n2\n1e-3\n7us\n")
    assert read_delay_list(tmp_path / "vdlist").tolist() == pytest.approx([5e-6, 0.02, 1.5, 2.0, 1e-3, 7e-6])


@pytest.mark.parametrize("text", ["5x\n", "-1s\n", "s\n", "1e999\n", "1.2.3\n"])
def test_what_is_no_delay_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "vdlist").write_text(text)
    with pytest.raises(InputError, match="GD-256"):
        read_delay_list(tmp_path / "vdlist")
    with pytest.raises(InputError, match="GD-222"):
        read_delay_list(tmp_path / "missing")


@glued
def test_delays_are_those_of_nmrglue(tmp_path: Path) -> None:
    import nmrglue

    (tmp_path / "vdlist").write_text("5u\n20m\n1.5s\n2\n")
    assert read_delay_list(tmp_path / "vdlist").tolist() == pytest.approx(nmrglue.bruker.read_vdlist(str(tmp_path)))


def bruker(folder: Path, *, rows: int = 16, gradients: int = 12) -> Path:
    """A processed series as nmrglue writes it: one line at 6.5 ppm that decays, zero-filled rows behind."""
    import nmrglue

    place = folder / "5" / "pdata" / "1"
    place.mkdir(parents=True)
    data = np.zeros((rows, 64), dtype=np.int32)
    data[:gradients, 20:24] = np.rint(1e6 * np.exp(-0.3 * np.arange(gradients)))[:, None]
    head = {"_coreheader": ["##TITLE= Parameter file", "##JCAMPDX= 5.0"], "_comments": [], "BYTORDP": 0, "DTYPP": 0}
    said = {
        "procs": {**head, "NC_proc": 0, "SI": 64, "XDIM": 64, "OFFSET": 10.0, "SW_p": 4000.0, "SF": 400.0},
        "proc2s": {**head, "NC_proc": 0, "SI": rows, "XDIM": rows, "OFFSET": 0.0, "SW_p": 1.0, "SF": 400.0},
    }
    nmrglue.bruker.write_pdata(str(place), said, data, write_procs=True, overwrite=True)
    (folder / "5" / "difflist").write_text("\n".join(str(2.0 + 4.0 * i) for i in range(gradients)))
    return place


@glued
def test_a_processed_series_gives_its_decay(tmp_path: Path) -> None:
    series = read_bruker_series(bruker(tmp_path))
    assert series.gradient.tolist() == pytest.approx([0.02 + 0.04 * i for i in range(12)])
    assert series.shift[0].item() == 10.0
    assert series.shift[1].item() == pytest.approx(10.0 - 10.0 / 64)
    decay = series.integrals(low=6.0, high=7.5)
    expected = torch.exp(-0.3 * torch.arange(12, dtype=torch.float64))
    torch.testing.assert_close(decay / decay[0], expected, rtol=1e-4, atol=1e-6)
    assert series.integrals(low=8.0, high=9.0).abs().max().item() == 0.0


@glued
def test_series_and_list_must_belong_together(tmp_path: Path) -> None:
    place = bruker(tmp_path)
    (tmp_path / "long").write_text("\n".join("1" for _ in range(20)))
    with pytest.raises(InputError, match="GD-257"):
        read_bruker_series(place, difflist=tmp_path / "long")
    with pytest.raises(InputError, match="GD-257"):
        read_bruker_series(tmp_path / "nothing")
    with pytest.raises(InputError, match="GD-222"):
        read_bruker_series(place, difflist=tmp_path / "no difflist")
    with pytest.raises(InputError, match="GD-257"):
        read_bruker_series(place).integrals(low=20.0, high=30.0)
    with pytest.raises(InputError, match="GD-257"):
        NmrSeries(torch.ones(2, 3), torch.ones(3), torch.ones(3))


@pytest.mark.parametrize(
    ("heading", "factor", "kind"),
    [
        ("b [s/mm2]", 1e6, "b"),
        ("B-value [s/m²]", 1.0, "b"),
        ("gradient [mT/m]", 1e-3, "gradient"),
        ("G [G/cm]", 1e-2, "gradient"),
    ],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_says_its_unit(heading: str, factor: float, kind: str, mark: str, tmp_path: Path) -> None:
    rows = [("label", "signal", heading), ("a", "9.5", "0"), ("b", "3.5", "20")]
    (tmp_path / "t.csv").write_text("# a remark\n" + "\n".join(mark.join(row) for row in rows))
    found, place, signal = read_decay(tmp_path / "t.csv")
    assert found == kind
    assert place.tolist() == pytest.approx([0.0, 20.0 * factor])
    assert signal.tolist() == [9.5, 3.5]


@pytest.mark.parametrize(
    "text", ["b,signal\n1,2", "b [s/mm2]\n1", "b [s/mm2],signal\n1,x", "b [s/mm2],signal\n1", "b [s/mm2],signal\n",
             "b [s/mm2],signal\n1,nan", "1,2\n3,4", "b [s/mm2],b [s/m2],signal\n1,2,3", "b [furlong],signal\n1,2"]
)  # fmt: skip
def test_what_is_no_decay_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match="GD-258"):
        read_decay(tmp_path / "t.csv")
