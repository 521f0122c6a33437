"""ISMRMRD raw data: a file of another program, what we write, and what each field means."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from gradatim.base.errors import GradatimError, ResourceError
from gradatim.base.raw import RawData
from gradatim.io.mrd import read_mrd
from gradatim.io.mrd_header import mrd_header
from gradatim.io.mrd_write import write_mrd
from gradatim.scanner.reconstruct.cartesian import Cartesian

h5py = pytest.importorskip("h5py")

KOMA = "data/scanner/koma/Koma_signal.mrd"


def small(**changes: object) -> RawData:
    """Three readouts of four samples by two coils."""
    seeds = torch.Generator().manual_seed(2)
    parts = {
        "samples": torch.randn(2, 12, dtype=torch.complex64, generator=seeds),
        "position": torch.randn(12, 3, dtype=torch.float64, generator=seeds) * 20,
        "times": torch.arange(4.0).repeat(3).double() * 1e-5,
        "readout": torch.arange(3).repeat_interleave(4),
        "counters": {"LIN": torch.tensor([0, 1, 2]), "ECO": torch.tensor([0, 0, 5]), "REV": torch.tensor([0, 1, 0])},
        "matrix": (4, 3, 1),
        "extent": (0.2, 0.15, 0.005),
    }
    return RawData(**{**parts, **changes})


def test_a_file_of_another_program_shows_a_brain(shared: Path) -> None:
    """Koma's lengths are in m where mm must stand, and k reaches ±½ at its first and last step."""
    path = shared / KOMA
    with pytest.raises(GradatimError) as caught:
        read_mrd(path)
    assert caught.value.code == "GD-238"
    raw = read_mrd(path, extent=(0.2323, 0.2323, 0.001))
    assert raw.samples.shape == (1, 10201)
    assert raw.readouts == 101
    assert raw.counters["LIN"].tolist() == list(range(101))
    assert float(raw.position.abs().max()) == pytest.approx(101 / 0.2323 / 2)
    image = Cartesian((101, 101, 1), (0.23, 0.23, 0.001))(raw).image[0, :, :, 0]
    brain = scipy.io.loadmat(shared / "data/scanner/koma/brain2D.mat")["axial"][::4, ::4] > 0
    assert 0.3 < float((image.abs() > 0.2 * image.abs().max()).double().mean()) / brain.mean() < 1.7
    border = torch.ones(101, 101, dtype=torch.bool)
    border[10:-10, 3:-2] = False
    assert float(image.abs()[border].max()) < 0.1 * float(image.abs().max())
    bright = image[image.abs() > 0.4 * image.abs().max()]
    assert float((bright / bright.abs()).mean().abs()) > 0.95


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    raw, path = small(), tmp_path / "a.mrd"
    write_mrd(path, raw, frequency=127_000_000)
    found = read_mrd(path)
    assert torch.equal(found.samples, raw.samples)
    assert torch.equal(found.readout, raw.readout)
    assert (found.matrix, found.extent) == (raw.matrix, pytest.approx(raw.extent))
    torch.testing.assert_close(found.position, raw.position, rtol=1e-6, atol=1e-5)
    for name, values in raw.counters.items():
        assert found.counters[name].tolist() == values.tolist()
    assert found.times.diff()[:3].tolist() == pytest.approx([1e-5] * 3)


def test_ismrmrd_itself_reads_what_is_written(tmp_path: Path) -> None:
    ismrmrd = pytest.importorskip("ismrmrd")
    raw, path = small(), tmp_path / "a.mrd"
    write_mrd(path, raw, frequency=127_000_000)
    file = ismrmrd.Dataset(str(path), "dataset", create_if_needed=False)
    assert file.number_of_acquisitions() == 3
    line = file.read_acquisition(1)
    assert np.array_equal(line.data, raw.samples[:, 4:8].numpy())
    assert (line.idx.kspace_encode_step_1, line.is_flag_set(ismrmrd.ACQ_IS_REVERSE)) == (1, True)
    space = ismrmrd.xsd.CreateFromDocument(file.read_xml_header()).encoding[0].encodedSpace
    assert (space.matrixSize.x, space.fieldOfView_mm.x) == (4, pytest.approx(200.0))
    file.close()


def edited(path: Path, change) -> None:
    """The file's acquisitions, and its header, changed in place."""
    with h5py.File(path, "r+") as file:
        group = file["dataset"]
        rows, text = group["data"][:], group["xml"][0].decode()
        rows, text = change(rows, text)
        kind = group["data"].dtype
        del group["data"], group["xml"]
        group.create_dataset("data", data=rows, dtype=kind)
        group.create_dataset("xml", data=np.array([text], dtype=object), dtype=h5py.string_dtype("utf-8"))


def test_lines_without_trajectory_lie_at_their_counters(tmp_path: Path) -> None:
    path = tmp_path / "a.mrd"
    write_mrd(path, small(), frequency=127_000_000)

    def cartesian(rows, text):
        for row in rows:
            row["head"]["trajectory_dimensions"] = 0
            row["traj"] = np.zeros(0, dtype=np.float32)
            row["head"]["center_sample"] = 2
        return rows, text

    edited(path, cartesian)
    raw = read_mrd(path)
    steps = raw.position * torch.tensor(raw.extent, dtype=torch.float64)
    forward, backward = [-2.0, -1.0, 0.0, 1.0], [2.0, 1.0, 0.0, -1.0]
    assert steps[:, 0].tolist() == pytest.approx([*forward, *backward, *forward])
    assert steps[:, 1].tolist() == pytest.approx([-1.0] * 4 + [0.0] * 4 + [1.0] * 4)


def test_echo_times_centres_and_discarded_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.mrd"
    write_mrd(path, small(counters={}), frequency=127_000_000)
    limits = "<encodingLimits><kspace_encoding_step_1><center>0</center></kspace_encoding_step_1></encodingLimits>"

    def change(rows, text):
        for row in rows:
            row["head"]["discard_pre"], row["head"]["discard_post"] = 1, 1
        times = "<sequenceParameters><TE>3.5</TE></sequenceParameters></ismrmrdHeader>"
        return rows, text.replace("<encodingLimits/>", limits).replace("</ismrmrdHeader>", times)

    edited(path, change)
    raw = read_mrd(path)
    assert raw.readout.tolist() == [0, 0, 1, 1, 2, 2]
    assert raw.times[:2].tolist() == pytest.approx([3.5e-3 - 1e-5, 3.5e-3])
    with h5py.File(path) as file:
        assert mrd_header(file["dataset/xml"][0].decode(), "a").centre == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"matrix": None},
        {"extent": None},
        {"counters": {"LIN": torch.tensor([0, -1, 2])}},
        {"counters": {"LIN": torch.tensor([0, 1 << 16, 2])}},
        {"position": torch.full((12, 3), math.nan)},
    ],
)
def test_raw_data_that_the_format_cannot_hold_are_refused(tmp_path: Path, change) -> None:
    with pytest.raises(GradatimError) as caught:
        write_mrd(tmp_path / "a.mrd", small(**change), frequency=127_000_000)
    assert caught.value.code == "GD-163"
    assert not list(tmp_path.iterdir())


def test_other_names_and_files_that_do_not_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GradatimError) as caught:
        write_mrd(tmp_path / "a.txt", small(), frequency=1)
    assert caught.value.code == "GD-101"
    monkeypatch.setattr("gradatim.io.mrd_write.read_mrd", lambda _: small(samples=torch.zeros(2, 12) + 0j))
    with pytest.raises(ResourceError) as lost:
        write_mrd(tmp_path / "a.mrd", small(), frequency=1)
    assert lost.value.code == "GD-506"
    assert not list(tmp_path.iterdir())
