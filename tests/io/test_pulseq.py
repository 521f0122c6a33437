"""Reading and writing Pulseq files: against pypulseq, MATLAB's own decoding, rotations by hand, and round trips."""

import math
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from gradatim.base.coherence import trajectory
from gradatim.base.errors import GradatimError, ResourceError, UsageError
from gradatim.base.sequence import Block, Lobe, Pulse, PulseUse, Rasters, Readout, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T as GAMMA_BAR
from gradatim.io.pulseq import read_pulseq, read_pulseq_file
from gradatim.io.pulseq_difference import difference
from gradatim.io.pulseq_write import PulseqWriter

pypulseq = pytest.importorskip("pypulseq")

NAMES = [
    *(f"generated/{name}.seq" for name in ("dwi", "dwi_b0", "epi", "gre", "megre", "tse", "tse_dummy")),
    *(f"koma/{name}.seq" for name in ("epi", "epi_JEMRIS", "epi_ramp", "epi_se", "rotation_radial_tiny")),
    *(f"pypulseq/write_{name}.seq" for name in ("epi_se_rs", "gre_label", "haste", "radial_gre", "tse", "ute")),
    "pypulseq/simple_mprage150.seq",
]
JOINED = {"pypulseq/write_haste.seq", "pypulseq/write_tse.seq"}
"""Files whose gradients meet at values of six digits, of which pypulseq keeps one and we keep both."""

HEAD = """[VERSION]
major 1
minor {minor}
revision 0
[DEFINITIONS]
AdcRasterTime 1e-07
BlockDurationRaster 1e-05
GradientRasterTime 1e-05
RadiofrequencyRasterTime 1e-06
"""


def given(folder: Path, body: str, minor: int = 5, **options: float) -> Sequence:
    """A sequence from the text of its sections."""
    path = folder / "a.seq"
    path.write_text(HEAD.format(minor=minor) + body)
    return read_pulseq(path, **options)


def peer(path: Path) -> "pypulseq.Sequence":
    """The same file read by pypulseq."""
    found = pypulseq.Sequence()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.read(str(path), remove_duplicates=False)
    if path.name in {"epi_ramp.seq", "epi_se.seq"}:  # of version 1.4: it infers uses, and then forgets them
        found.rf_library.type = {1: "e", 2: "r"}
    found.block_cache.clear()
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if "rotation" not in name])
def test_gradients_times_and_k_space_are_those_of_pypulseq(shared: Path, name: str) -> None:
    path = shared / "data/scanner" / name
    sequence = read_pulseq(path)
    other = peer(path)
    near = 5e-6 if name in JOINED else 1e-9
    middle = (sequence.waveform.edges[1:] + sequence.waveform.edges[:-1]) / 2
    ours = sequence.waveform.at(middle).numpy() * GAMMA_BAR
    for axis, wave in enumerate(other.waveforms_and_times()[0]):
        theirs = np.interp(middle.numpy(), *wave, left=0, right=0) if wave.size else np.zeros(len(middle))
        assert np.abs(ours[:, axis] - theirs).max() <= near * max(np.abs(theirs).max(), 1.0)
    theirs, _, _, _, times = other.calculate_kspace()
    assert np.abs(times - sequence.sample_times.numpy()).max() < 1e-12
    k = trajectory(sequence, sequence.sample_times).numpy()
    assert np.abs(k - theirs.T).max() <= near * np.abs(theirs).max()


@pytest.mark.parametrize("name", [name for name in NAMES if "rotation" not in name])
def test_pulses_are_those_of_pypulseq(shared: Path, name: str) -> None:
    path = shared / "data/scanner" / name
    sequence = read_pulseq(path)
    other = peer(path)
    pulses = [other.get_block(number).rf for number in other.block_events if other.get_block(number).rf is not None]
    for (_, ours), theirs in zip(sequence.pulses, pulses, strict=True):
        assert ours.delay == round(theirs.delay * 1e9)
        assert ours.centre == pytest.approx(theirs.center * 1e9, abs=500)
        assert (ours.frequency, ours.phase) == (theirs.freq_offset, theirs.phase_offset)
        middles = (ours.edges[1:] + ours.edges[:-1]).numpy() / 2e9
        wanted = np.interp(middles, theirs.t, theirs.signal)
        assert np.abs(ours.field.numpy() * GAMMA_BAR - wanted).max() <= 1e-9 * np.abs(wanted).max()


def test_epi_is_what_the_matlab_toolbox_decoded(shared: Path) -> None:
    """epi.mat holds seconds, tesla and tesla per metre of every block, with the γ̄ of that program."""
    sequence = read_pulseq(shared / "data/scanner/koma/epi.seq")
    decoded = scipy.io.loadmat(shared / "data/scanner/koma/epi.mat", simplify_cells=True)["sequence"]
    assert len(decoded) == len(sequence.blocks)
    ratio = 42.5774688e6 / GAMMA_BAR
    for start, block, theirs in zip(sequence.starts, sequence.blocks, decoded, strict=True):
        for axis, lobe in zip(("gx", "gy", "gz"), block.lobes, strict=True):
            times, values = np.atleast_1d(theirs[axis]["t"]), np.atleast_1d(theirs[axis]["A"])
            assert (lobe is None) == (not len(times))
            if lobe is not None:
                at = np.interp(times, (lobe.times.numpy() + start) / 1e9, lobe.values.numpy())
                assert np.abs(at - values * ratio).max() <= 1e-8 * np.abs(values).max()
        taken = np.atleast_1d(theirs["adc"]["t"])
        assert (block.readout is None) == (not len(taken))
        if block.readout is not None:
            assert np.abs(block.readout.times.numpy() + start / 1e9 - taken).max() < 1e-12
        if block.pulse is not None:
            times, field = theirs["rf"]["t"], theirs["rf"]["A"]
            begin = (start + block.pulse.delay) / 1e9
            middles = (block.pulse.edges[1:] + block.pulse.edges[:-1]).numpy() / 2e9 + begin
            inside = slice(1, -1)
            assert np.abs(middles - times[inside]).max() < 1e-12
            wanted = field[inside] * ratio
            assert np.abs(block.pulse.field.numpy() - wanted).max() <= 1e-8 * np.abs(wanted).max()


def test_rotations_turn_the_gradients_about_z(shared: Path) -> None:
    """Quaternions (cos ½φ, 0, 0, sin ½φ) of 0, 45 and 90°, of six digits: a gradient on x goes to (cos φ, sin φ)."""
    sequence = read_pulseq(shared / "data/scanner/koma/rotation_radial_tiny.seq")
    for block, degrees in zip(sequence.blocks, (0, 45, 90, 45, 0), strict=True):
        peaks = [0.0 if lobe is None else float(lobe.values.max()) * GAMMA_BAR for lobe in block.lobes]
        angle = math.radians(degrees)
        assert peaks == pytest.approx([1000 * math.cos(angle), 1000 * math.sin(angle), 0.0], abs=2e-3)
        assert math.hypot(*peaks) == pytest.approx(1000, rel=1e-12)
        assert all(lobe is None or lobe.times.tolist() == [0, 100_000, 300_000, 400_000] for lobe in block.lobes)


def test_labels_are_evaluated_into_readouts(shared: Path) -> None:
    gre = read_pulseq(shared / "data/scanner/pypulseq/write_gre_label.seq")
    assert [readout.labels["LIN"] for _, readout in gre.readouts] == list(range(64))
    assert {(readout.labels["REV"], readout.labels["SLC"]) for _, readout in gre.readouts} == {(1, 0)}
    echoes = read_pulseq(shared / "data/scanner/generated/megre.seq")
    assert [(r.labels["LIN"], r.labels["ECO"]) for _, r in echoes.readouts] == [(i // 6, i % 6) for i in range(384)]


def test_findings_say_what_was_inferred_or_left_out(shared: Path, tmp_path: Path) -> None:
    found = read_pulseq_file(shared / "data/scanner/koma/epi_ramp.seq")
    assert [finding.code for finding in found.findings] == ["GD-235", "GD-234"]
    assert found.version == (1, 4, 0)
    changed = tmp_path / "a.seq"
    changed.write_bytes((shared / "data/scanner/koma/epi_se.seq").read_bytes().replace(b" 65 4923", b" 64 4923"))
    assert "GD-233" in [finding.code for finding in read_pulseq_file(changed).findings]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_reads_back(shared: Path, tmp_path: Path, name: str) -> None:
    sequence = read_pulseq(shared / "data/scanner" / name)
    if name.endswith("epi_se.seq"):  # its dwell of 4923 ns misses the 100 ns that it states
        sequence = replace(sequence, rasters=replace(sequence.rasters, readout=1))
    target = tmp_path / "b.seq"
    PulseqWriter(1.0, 1e6, 0, 0, 0)(sequence, target)
    found = read_pulseq_file(target)
    assert difference(sequence, found.sequence) == ""
    assert not found.findings
    k, again = (trajectory(each, each.sample_times) for each in (sequence, found.sequence))
    assert float((k - again).abs().max()) <= 1e-5 * float(k.abs().max())


def test_older_files_wait_for_delays_and_begin_gradients_where_the_last_ended(tmp_path: Path) -> None:
    body = """
[BLOCKS]
1 1 0 0 0 0 0 0
2 0 0 1 0 0 0 0
3 0 0 2 0 0 0 0
[GRADIENTS]
1 1000 1 0
2 1000 2 0
[DELAYS]
1 70
[SHAPES]
shape_id 1
num_samples 3
0.25
0.25
1
shape_id 2
num_samples 3
0.75
-0.25
-0.25
0
"""
    found = given(tmp_path, body.replace("-0.25\n-0.25\n0\n", "-0.25\n-0.25\n"), minor=3)
    assert [block.duration for block in found.blocks] == [70_000, 30_000, 30_000]
    second, third = found.blocks[1].lobes[0], found.blocks[2].lobes[0]
    assert second.times.tolist() == [0, 5_000, 15_000, 25_000, 30_000]
    torch.testing.assert_close(
        second.values * GAMMA_BAR, torch.tensor([0, 250, 500, 750, 875], dtype=torch.float64), rtol=1e-12, atol=1e-9
    )
    torch.testing.assert_close(
        third.values * GAMMA_BAR, torch.tensor([875, 750, 500, 250, 125], dtype=torch.float64), rtol=1e-12, atol=1e-9
    )


def test_samples_at_halves_of_the_raster(tmp_path: Path) -> None:
    body = """
[BLOCKS]
1 2 0 1 0 0 0 0
[GRADIENTS]
1 1000 0 0 1 -1 0
[SHAPES]
shape_id 1
num_samples 3
0.5
1
0.5
"""
    lobe = given(tmp_path, body).blocks[0].lobes[0]
    assert lobe.times.tolist() == [0, 5_000, 10_000, 15_000, 20_000]
    assert (lobe.values * GAMMA_BAR).tolist() == pytest.approx([0, 500, 1000, 500, 0])


def test_offsets_in_parts_per_million_need_the_field(tmp_path: Path) -> None:
    body = """
[BLOCKS]
1 10 1 0 0 0 1 0
[RF]
1 100 1 2 0 50 0 -3.45 0.5 10 0.25 s
[ADC]
1 4 1000 0 2 0 0 0 0
[SHAPES]
shape_id 1
num_samples 100
1
0
0
97
shape_id 2
num_samples 100
0
0
98
"""
    with pytest.raises(UsageError) as caught:
        given(tmp_path, body)
    assert caught.value.code == "GD-160"
    found = given(tmp_path, body, field_strength=3.0)
    pulse, readout = found.blocks[0].pulse, found.blocks[0].readout
    megahertz = GAMMA_BAR * 3.0 * 1e-6
    assert pulse.frequency == pytest.approx(10 - 3.45 * megahertz)
    assert pulse.phase == pytest.approx(0.25 + 0.5 * megahertz)
    assert readout.frequency == pytest.approx(2 * megahertz)
    assert pulse.use is PulseUse.SATURATION
    assert pulse.flip == pytest.approx(2 * math.pi * 100 * 100e-6)


def block_pulse(angle: float = math.pi / 2, use: PulseUse = PulseUse.EXCITATION) -> Pulse:
    field = angle / (2 * math.pi * GAMMA_BAR * 1e-3)
    edges = torch.tensor([0, 1_000_000])
    return Pulse(100_000, edges, torch.tensor([field + 0j], dtype=torch.complex128), 500_000, use=use)


def scene(**changes: object) -> Sequence:
    """A pulse, a trapezoid with a readout, and a shape on three axes."""
    shape = Lobe(torch.tensor([0, 20_000, 70_000, 100_000]), torch.tensor([0.0, 3e-3, -2e-3, 0.0], dtype=torch.float64))
    blocks = (
        Block(1_200_000, pulse=block_pulse()),
        Block(
            500_000,
            lobes=(trapezoid(0, 100_000, 300_000, 100_000, amplitude=0.01), None, None),
            readout=Readout(100_000, 3_000, 100, phase=0.5, labels={"LIN": 3, "REV": 1}),
        ),
        Block(100_000, pulse=None, lobes=(None, shape, shape)),
        Block(0),
    )
    parts = {"blocks": blocks, "rasters": Rasters(), "definitions": {"FOV": (0.2, 0.2, 0.005), "Name": "scene"}}
    return Sequence(**{**parts, **changes})


def test_pypulseq_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.seq"
    PulseqWriter()(scene(), path)
    found = pypulseq.Sequence()
    found.read(str(path), remove_duplicates=False)
    assert found.check_timing()[0]
    assert found.get_definition("Name") == "scene"
    assert found.evaluate_labels(evolution="adc")["LIN"].tolist() == [3]
    theirs = found.calculate_kspace()[0].T
    ours = trajectory(scene(), scene().sample_times).numpy()
    assert np.abs(theirs - ours).max() < 1e-5 * np.abs(ours).max()


@pytest.mark.parametrize("use", list(PulseUse))
def test_every_use_of_a_pulse_is_kept(tmp_path: Path, use: PulseUse) -> None:
    path = tmp_path / "a.seq"
    PulseqWriter()(Sequence((Block(1_200_000, pulse=block_pulse(use=use)),)), path)
    assert read_pulseq(path).blocks[0].pulse.use is use


def refusal(sequence: Sequence, path: Path, writer: PulseqWriter | None = None) -> str:
    with pytest.raises(GradatimError) as caught:
        (writer or PulseqWriter())(sequence, path)
    assert not path.exists()
    return caught.value.code


def test_what_the_scanner_or_the_format_does_not_allow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.seq"
    blocks = scene().blocks
    odd = trapezoid(0, 100_500, 300_000, 100_000, amplitude=0.01)
    off = Lobe(torch.tensor([0, 15_000, 30_000]), torch.tensor([0.0, 1e-3, 1e-3], dtype=torch.float64))
    jump = Lobe(torch.tensor([0, 20_000]), torch.tensor([0.01, 0.0], dtype=torch.float64))
    assert refusal(scene(), path, PulseqWriter(max_gradient=0.005)) == "GD-161"
    assert refusal(scene(), path, PulseqWriter(max_slew=10.0)) == "GD-161"
    assert (
        refusal(scene(blocks=(Block(20_000, lobes=(jump, None, None)),)), path, PulseqWriter(max_slew=600.0))
        == "GD-161"
    )
    assert refusal(scene(blocks=(Block(30_000, lobes=(off, None, None)),)), path) == "GD-161"
    assert refusal(scene(), path, PulseqWriter(pulse_ringdown=200_000)) == "GD-162"
    assert refusal(scene(), path, PulseqWriter(readout_dead=200_000)) == "GD-162"
    assert refusal(scene(), path, PulseqWriter(pulse_dead=200_000)) == "GD-162"
    assert refusal(scene(blocks=(Block(600_000, lobes=(odd, None, None)),)), path) in {"GD-161", "GD-162"}
    assert refusal(scene(blocks=(Block(12_345),)), path) == "GD-162"
    assert refusal(scene(definitions={"a b": "c"}), path) == "GD-161"
    assert refusal(scene(definitions={"Name": "two\nlines"}), path) == "GD-161"
    strange = replace(blocks[1], readout=replace(blocks[1].readout, labels={"WHAT": 1}))
    assert refusal(scene(blocks=(strange,)), path) == "GD-161"
    assert refusal(scene(), tmp_path / "a.txt") == "GD-101"
    assert refusal(scene(), tmp_path / "nowhere" / "a.seq") == "GD-504"


def test_a_file_that_does_not_read_back_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradatim.io.pulseq_write.read_pulseq", lambda _: scene(blocks=(Block(10_000),)))
    with pytest.raises(ResourceError) as caught:
        PulseqWriter()(scene(), tmp_path / "a.seq")
    assert caught.value.code == "GD-506"
    assert not list(tmp_path.iterdir())


def test_differences_are_named() -> None:
    base = scene()
    turned = replace(base.blocks[0], pulse=replace(base.blocks[0].pulse, phase=0.1))
    assert difference(base, scene()) == ""
    assert difference(base, scene(blocks=(turned, *base.blocks[1:]))) == "block 1: the pulses differ"
    assert difference(base, scene(blocks=base.blocks[:2])) == "block 3: only in one of the two"
    assert re.match("definition Name", difference(base, scene(definitions={"FOV": (0.2, 0.2, 0.005)})))
    assert "Rasters" in difference(base, scene(rasters=Rasters(gradient=5_000)))
