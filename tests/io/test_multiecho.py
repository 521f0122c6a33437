"""From files to the signal: values, order, units, sign, B0, and everything that must be refused."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from gradatim.base.errors import GradatimError, InputError, UsageError
from gradatim.base.findings import Severity, refusals
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.bids import scan_dataset
from gradatim.io.echo_series import EchoSeries, Part, series_from_files
from gradatim.io.multiecho import EchoReader, Examination
from gradatim.io.orientation import Frame
from gradatim.io.phase_units import RADIANS, Confidence, FullRange, PhaseSign
from tests.io.dataset import (
    AFFINE,
    ECHO_TIMES,
    FIELD_HZ,
    MAG2,
    PHASE2,
    SHAPE,
    build,
    save,
    say,
    signal,
    values_of,
    write_json,
)


@pytest.fixture
def anat(tmp_path: Path) -> Path:
    return build(tmp_path)


def scanned(anat: Path) -> EchoSeries:
    (series,) = scan_dataset(anat.parent.parent).series
    return series


def examined(anat: Path, reader: EchoReader | None = None) -> Examination:
    return (reader or EchoReader()).examine(scanned(anat))


def codes(seen: Examination) -> list[str]:
    return [f.code for f in refusals(seen.findings)]


def test_the_signal_is_that_of_the_files(anat: Path) -> None:
    loaded = EchoReader()(scanned(anat))
    s = np.stack([signal(time, echo) for echo, time in enumerate(ECHO_TIMES, 1)])
    assert loaded.signal.echo_times == ECHO_TIMES
    assert loaded.signal.field_strength == 3.0
    assert loaded.signal.grid.spacing == (1.0, 1.0, 2.0)
    assert loaded.findings == ()
    np.testing.assert_array_equal(loaded.signal.magnitude.numpy(), np.abs(s).astype(np.float32))
    np.testing.assert_array_equal(loaded.signal.phase.numpy(), np.angle(s).astype(np.float32))


def test_phase_grows_with_the_field(anat: Path) -> None:
    """Between two echoes at the ball's centre row, phase advances by 2π·Δf·ΔTE."""
    s = EchoReader()(scanned(anat)).signal.complex
    advance = torch.angle(s[1] * s[0].conj())[4:12, 8, 6]
    x = torch.linspace(-1, 1, SHAPE[0])[4:12]
    expected = 2 * torch.pi * FIELD_HZ * x * (ECHO_TIMES[1] - ECHO_TIMES[0])
    assert float((advance - expected).abs().max()) < 0.1  # SNR 70: 5 standard errors of a phase difference
    falling = EchoReader(phase_sign=PhaseSign.FALLS)(scanned(anat))
    assert torch.equal(falling.signal.phase, -EchoReader()(scanned(anat)).signal.phase)
    assert falling.record()["PhaseSign"] == "falls"


def test_plain_files_one_per_echo_or_four_dimensional_give_the_same(anat: Path, tmp_path: Path) -> None:
    files = {part: sorted(anat.glob(f"*part-{part}*.nii.gz")) for part in ("mag", "phase")}
    for part, paths in files.items():
        stack = np.stack([values_of(p) for p in paths], axis=-1)
        save(tmp_path / f"{part}.nii", stack)
    apart = series_from_files(magnitude=files["mag"], phase=files["phase"], echo_times=ECHO_TIMES, field_strength=3.0)
    together = series_from_files(
        magnitude=[tmp_path / "mag.nii"], phase=[tmp_path / "phase.nii"], echo_times=ECHO_TIMES, field_strength=3.0
    )
    mixed = series_from_files(
        magnitude=files["mag"], phase=[tmp_path / "phase.nii"], echo_times=ECHO_TIMES, field_strength=3.0
    )
    expected = EchoReader()(scanned(anat)).signal
    for series in (apart, together, mixed):
        seen = EchoReader(phase_units=RADIANS)(series).signal
        assert torch.equal(seen.magnitude, expected.magnitude)
        assert torch.equal(seen.phase, expected.phase)
        assert seen.grid.same_space(expected.grid)


def test_real_and_imaginary_part(anat: Path) -> None:
    expected = EchoReader()(scanned(anat)).signal
    for path in sorted(anat.glob("*part-mag*")) + sorted(anat.glob("*part-phase*.nii.gz")):
        path.unlink()
    for echo, time in enumerate(ECHO_TIMES, 1):
        s = signal(time, echo)
        for part, values in (("real", s.real), ("imag", s.imag)):
            stem = f"sub-01_echo-{echo}_part-{part}_MEGRE"
            save(anat / f"{stem}.nii.gz", values.astype(np.float32))
            write_json(anat / f"{stem}.json", {"EchoTime": time, "MagneticFieldStrength": 3})
    loaded = EchoReader()(scanned(anat))
    assert loaded.scaling.confidence is Confidence.COMPUTED
    assert float((loaded.signal.complex - expected.complex).abs().max()) < 1e-4  # of 100, in float32
    bad = anat / "sub-01_echo-2_part-real_MEGRE.nii.gz"
    save(bad, np.full(SHAPE, np.nan, np.float32))
    assert codes(examined(anat)) == ["GD-217"]


def test_a_scan_of_one_echo(anat: Path) -> None:
    for path in [*anat.glob("*echo-2*"), *anat.glob("*echo-3*")]:
        path.unlink()
    assert EchoReader()(scanned(anat)).signal.echo_times == ECHO_TIMES[:1]


def test_echoes_are_ordered_by_number_not_by_name(anat: Path) -> None:
    for path in anat.glob("*echo-3*"):
        path.rename(path.with_name(path.name.replace("echo-3", "echo-003")))
    assert EchoReader()(scanned(anat)).signal.echo_times == ECHO_TIMES


def holed(anat: Path, part: str, where: np.ndarray) -> None:
    path = anat / f"sub-01_echo-2_part-{part}_MEGRE.nii.gz"
    values = values_of(path)
    values[where] = np.nan
    save(path, values)


def test_phase_that_is_no_number_outside_the_object_becomes_zero(anat: Path) -> None:
    outside = np.abs(signal(ECHO_TIMES[1], 2)) < 3
    holed(anat, "phase", outside)
    loaded = EchoReader()(scanned(anat))
    assert [(f.code, f.severity) for f in loaded.findings] == [("GD-217", Severity.NOTE)]
    assert str(int(outside.sum())) in loaded.findings[0].what
    assert float(loaded.signal.phase[1][torch.from_numpy(outside)].abs().max()) == 0.0
    assert float(loaded.signal.magnitude[1][torch.from_numpy(outside)].abs().max()) == 0.0


def test_one_such_voxel_inside_is_refused_with_its_place(anat: Path) -> None:
    inside = np.zeros(SHAPE, bool)
    inside[8, 7, 6] = True
    holed(anat, "phase", inside)
    seen = examined(anat)
    assert codes(seen) == ["GD-217"]
    assert "1 of 3072" in seen.findings[0].what
    assert "(8, 7, 6)" in seen.findings[0].what


def test_an_image_masked_with_nan_in_both_parts_is_taken(anat: Path) -> None:
    outside = np.abs(signal(ECHO_TIMES[1], 2)) < 3
    for part in ("mag", "phase"):
        holed(anat, part, outside)
    assert [f.severity for f in EchoReader()(scanned(anat)).findings] == [Severity.NOTE]


def test_a_hole_in_the_magnitude_alone_is_refused(anat: Path) -> None:
    inside = np.zeros(SHAPE, bool)
    inside[8, 7, 6] = True
    holed(anat, "mag", inside)
    assert codes(examined(anat)) == ["GD-217"]


def test_a_zero_set_outside_stays_zero_in_every_unit(anat: Path) -> None:
    """0 means 0 rad, also where the stored zero stands for −π."""
    outside = np.max([np.abs(signal(time, echo)) for echo, time in enumerate(ECHO_TIMES, 1)], axis=0) < 2
    assert outside.any()
    for path in anat.glob("*part-phase*.nii.gz"):
        values = np.round((values_of(path) + np.pi) * 2048 / np.pi).clip(0, 4095)
        save(path, np.where(outside, np.nan, values).astype(np.float32))
    for path in anat.glob("*part-phase*.json"):
        say(anat, path.stem, Units="arbitrary")
    loaded = EchoReader()(scanned(anat))
    assert loaded.scaling.offset == -torch.pi
    assert float(loaded.signal.phase[:, torch.from_numpy(outside)].abs().max()) == 0.0


def test_magnitude_and_phase_exchanged(anat: Path) -> None:
    series = scanned(anat)
    other = {Part.MAG: Part.PHASE, Part.PHASE: Part.MAG}
    swapped = replace(series, files=tuple(replace(f, part=other[f.part]) for f in series.files))
    stops = [f.code for f in refusals(EchoReader(phase_units=RADIANS).examine(swapped).findings)]
    assert stops == ["GD-316"]


@pytest.mark.parametrize("unit", ["mm", "deg"])
def test_the_grids_of_all_echoes_must_be_one(anat: Path, unit: str) -> None:
    affine = AFFINE.copy()
    if unit == "mm":
        affine[0, 3] = 0.1
    else:
        a = np.deg2rad(1.0)
        affine[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    save(anat / f"{MAG2}.nii.gz", np.abs(signal(ECHO_TIMES[1], 2)).astype(np.float32), affine)
    assert codes(examined(anat)) == ["GD-311"] * len(codes(examined(anat)))
    assert codes(examined(anat))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"MagneticFieldStrength": None}, "GD-313"),
        ({"MagneticFieldStrength": "3T"}, "GD-313"),
        ({"MagneticFieldStrength": 3000}, "GD-313"),
        ({"MagneticFieldStrength": True}, "GD-313"),
        ({"MagneticFieldStrength": 7.0}, "GD-314"),
        ({"ImagingFrequency": 63.9}, "GD-314"),
    ],
)
def test_a_field_strength_that_is_missing_or_contradictory(anat: Path, said: dict[str, object], code: str) -> None:
    say(anat, PHASE2, **said)
    assert codes(examined(anat)) == [code]
    assert EchoReader(field_strength=2.89)(scanned(anat)).signal.field_strength == 2.89


def test_the_imaging_frequency_is_more_exact_than_the_nominal_field(anat: Path) -> None:
    say(anat, PHASE2, ImagingFrequency=123.25)
    loaded = EchoReader()(scanned(anat))
    assert loaded.signal.field_strength == pytest.approx(123.25e6 / PROTON_GAMMA_BAR_HZ_PER_T, rel=1e-12)
    assert [(f.code, f.severity) for f in loaded.findings] == [("GD-315", Severity.NOTE)]


@pytest.mark.parametrize("value", [0.0, -3.0, float("nan"), 3000.0])
def test_an_impossible_field_strength_from_the_user(anat: Path, value: float) -> None:
    assert codes(examined(anat, EchoReader(field_strength=value))) == ["GD-313"]


def test_echo_times_against_the_echo_numbers(anat: Path) -> None:
    for part in ("mag", "phase"):
        say(anat, f"sub-01_echo-2_part-{part}_MEGRE", EchoTime=0.020)
    assert codes(examined(anat)) == ["GD-306"]


def test_an_echo_without_one_of_its_parts(anat: Path) -> None:
    (anat / f"{MAG2}.nii.gz").unlink()
    seen = examined(anat)
    assert codes(seen) == ["GD-308"]
    assert "echo 2 has no mag" in seen.findings[0].what


def test_phase_missing(anat: Path) -> None:
    for path in anat.glob("*part-phase*"):
        path.unlink()
    assert codes(examined(anat)) == ["GD-309"]


def test_the_same_echo_twice(anat: Path) -> None:
    image = nibabel.load(anat / f"{MAG2}.nii.gz")
    nibabel.save(image, anat / f"{MAG2}.nii")
    assert codes(examined(anat)) == ["GD-319"]


def test_a_first_echo_left_out_is_a_warning(anat: Path) -> None:
    for path in anat.glob("*echo-1*"):
        path.unlink()
    loaded = EchoReader()(scanned(anat))
    assert [(f.code, f.severity) for f in loaded.findings] == [("GD-307", Severity.WARN)]


def unoriented(anat: Path) -> None:
    for path in anat.glob("*.nii.gz"):
        image = nibabel.Nifti1Image(values_of(path), None)
        image.header["pixdim"][1:4] = [1, 1, 2]
        nibabel.save(image, path)


@pytest.mark.parametrize("direction", [(0, 0, 1), (0, 3, 4), (1, 1, 1), (0, 0, -2), (-1, 0, 0), (0, 1e-9, -1)])
def test_without_orientation_the_user_may_say_where_b0_points(anat: Path, direction: tuple[float, ...]) -> None:
    unoriented(anat)
    assert set(codes(examined(anat))) == {"GD-213"}
    loaded = EchoReader(b0_direction=direction)(scanned(anat))
    unit = np.array(direction) / np.linalg.norm(direction)
    np.testing.assert_allclose(loaded.signal.grid.b0_direction, unit, rtol=0, atol=1e-8)
    assert loaded.signal.grid.spacing == pytest.approx((1, 1, 2), rel=1e-12)
    assert np.linalg.det(loaded.signal.grid.matrix[:3, :3]) == pytest.approx(2.0, rel=1e-9)
    assert [(f.code, f.severity) for f in loaded.findings] == [("GD-213", Severity.WARN)]


@pytest.mark.parametrize("direction", [(0, 0, 0), (0, 1, 0), (0, 0.1, 1), (float("nan"), 0, 1), (0, 0, -1)])
def test_a_direction_of_b0_that_is_none_or_contradicts_the_header(anat: Path, direction: tuple[float, ...]) -> None:
    assert codes(examined(anat, EchoReader(b0_direction=direction))) == ["GD-312"]


def test_a_direction_of_b0_that_confirms_the_header_changes_nothing(anat: Path) -> None:
    loaded = EchoReader(b0_direction=(0, 0.001, 1))(scanned(anat))
    assert loaded.signal.grid == EchoReader()(scanned(anat)).signal.grid


def test_orientations_that_disagree_need_a_choice(anat: Path) -> None:
    for path in anat.glob("*.nii.gz"):
        values, a = values_of(path), np.deg2rad(20)
        image = nibabel.Nifti1Image(values, AFFINE)
        tilted = AFFINE.copy()
        tilted[:3, :3] = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]) * [1, 1, 2]
        image.set_sform(AFFINE, 2)
        image.set_qform(tilted, 1)
        nibabel.save(image, path)
    assert set(codes(examined(anat))) == {"GD-212"}
    b0 = EchoReader(frame=Frame.QFORM)(scanned(anat)).signal.grid.b0_direction
    np.testing.assert_allclose(b0, (0, np.sin(a), np.cos(a)), rtol=0, atol=1e-6)
    assert EchoReader(frame=Frame.SFORM)(scanned(anat)).signal.grid.b0_direction == (0.0, 0.0, 1.0)


def test_the_message_of_a_refusal_counts_the_others(anat: Path) -> None:
    say(anat, PHASE2, EchoTime=-1)
    (anat / f"{MAG2}.nii.gz").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 more: GD-201"):
        EchoReader()(scanned(anat))


@pytest.mark.parametrize(
    ("magnitude", "phase", "times"),
    [(["a", "b"], ["c"], [1]), (["a"], ["b", "c"], [1, 2, 3]), (["a"], ["b"], []), (["a"], ["a"], [1])],
)
def test_files_and_echo_times_that_do_not_fit(magnitude: list[str], phase: list[str], times: list[float]) -> None:
    with pytest.raises(UsageError) as caught:
        series_from_files(
            magnitude=[Path(m) for m in magnitude],
            phase=[Path(p) for p in phase],
            echo_times=times,
            field_strength=3.0,
        )
    assert caught.value.code == "GD-104"


def test_more_volumes_than_echo_times(tmp_path: Path) -> None:
    for name in ("m", "p"):
        save(tmp_path / f"{name}.nii", np.random.default_rng(0).random((4, 4, 4, 3)).astype(np.float32))
    series = series_from_files(
        magnitude=[tmp_path / "m.nii"], phase=[tmp_path / "p.nii"], echo_times=[0.01, 0.02], field_strength=3.0
    )
    assert "GD-318" in [f.code for f in refusals(EchoReader().examine(series).findings)]


def test_real_scans_with_the_users_word(shared: Path) -> None:
    for name, shape in (("romeo_small", (3, 51, 51, 41)), ("clearswi_small", (3, 40, 40, 20))):
        folder = shared / "data" / "qsm" / name
        series = series_from_files(
            magnitude=[folder / "Mag.nii"],
            phase=[folder / "Phase.nii"],
            echo_times=[0.004, 0.008, 0.012],
            field_strength=3.0,
        )
        with pytest.raises(GradatimError) as caught:
            EchoReader()(series)
        assert caught.value.code == "GD-332"
        loaded = EchoReader(phase_units=FullRange())(series)
        assert tuple(loaded.signal.phase.shape) == shape
        assert float(loaded.signal.phase.abs().max()) == pytest.approx(torch.pi, rel=1e-6)
        record = loaded.record()
        assert record["PhaseRule"] == "user"
        assert record["PhaseScale"] == pytest.approx(855.0, rel=1e-6)


def test_echoes_from_last_to_first_are_refused(tmp_path: Path) -> None:
    """Their phase would turn the sign of susceptibility, and nothing else would tell."""
    files = {Part.MAG: [], Part.PHASE: []}
    for echo, time in enumerate(ECHO_TIMES, 1):
        s = signal(time, echo)
        for part, values in ((Part.MAG, np.abs(s)), (Part.PHASE, np.angle(s))):
            path = tmp_path / f"{part.value}{echo}.nii.gz"
            save(path, values.astype(np.float32))
            files[part].append(path)
    for order, expected in ((1, []), (-1, ["GD-326"])):
        series = series_from_files(
            magnitude=files[Part.MAG][::order],
            phase=files[Part.PHASE][::order],
            echo_times=ECHO_TIMES,
            field_strength=3.0,
        )
        assert codes(EchoReader(phase_units=RADIANS).examine(series)) == expected
