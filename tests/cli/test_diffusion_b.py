"""gradatim diffusion b: what real files deliver, as text and JSON, and what it refuses."""

import json

import pytest

from gradatim.cli.main import main


@pytest.fixture
def generated(shared):
    return shared / "data/scanner/generated"


def said(capsys, path) -> list[dict]:
    assert main(["diffusion", "b", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["excitations"]


def test_a_diffusion_weighted_sequence(generated, capsys):
    (found,) = said(capsys, generated / "dwi.seq")
    assert round(found["b_s_per_m2"] * 1e-6, 2) == 442.46
    assert round(found["b_matrix_s_per_m2"][0][2] * 1e-6, 2) == 3.46
    assert found["echo_time_s"] == pytest.approx(0.071, abs=5e-4)


def test_a_sequence_without_lobes_is_weighted_by_its_imaging_gradients(generated, capsys):
    (found,) = said(capsys, generated / "dwi_b0.seq")
    assert 0 < found["b_s_per_m2"] < 1e6
    assert found["echo_time_s"] == pytest.approx(0.0406, abs=5e-4)


def test_it_says_excitations_alike_once(generated, capsys):
    assert main(["diffusion", "b", str(generated / "dwi.seq")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["TE", "ms", "b", "s/mm²"]
    assert [line.split()[1] for line in lines[1:]] == ["442.46"]
    assert main(["diffusion", "b", str(generated / "tse_dummy.seq")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(int(line.split()[-1]) for line in lines[1:]) <= 5


@pytest.mark.parametrize("name", ["pypulseq/write_haste.seq", "pypulseq/write_ute.seq", "koma/epi_JEMRIS.seq"])
def test_files_of_others(shared, capsys, name):
    for found in said(capsys, shared / "data/scanner" / name):
        assert found["b_s_per_m2"] >= 0


def test_what_it_refuses(tmp_path, capsys):
    assert main(["diffusion", "b", str(tmp_path / "none.seq")]) in {2, 3, 5}
    damaged = tmp_path / "damaged.seq"
    damaged.write_text("[VERSION]\nmajor 1\nminor 5\nrevision 0\n[BLOCKS]\n1 1 1")
    assert main(["diffusion", "b", str(damaged)]) == 3
    assert "GD-" in capsys.readouterr().err


def test_a_file_that_has_no_pulses(shared, capsys):
    assert main(["diffusion", "b", str(shared / "data/scanner/koma/rotation_radial_tiny.seq")]) == 3
    assert "GD-856" in capsys.readouterr().err


def test_a_file_that_excites_nothing_that_is_read(tmp_path, capsys):
    from gradatim.base.sequence import Block, Readout, Sequence
    from gradatim.io.pulseq_write import PulseqWriter

    path = tmp_path / "noise.seq"
    PulseqWriter()(Sequence((Block(1_000_000, readout=Readout(20_000, 10_000, 64)),)), path)
    assert main(["diffusion", "b", str(path)]) == 3
    assert "GD-856" in capsys.readouterr().err
