"""Which unit stored phase is in: the stated rules, what they may not do, and real files."""

import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.choice import choose
from gradatim.base.errors import InputError, UsageError
from gradatim.io.nifti import read_image
from gradatim.io.phase_decision import decide_phase_scaling
from gradatim.io.phase_units import (
    CONVENTIONS,
    PHASE_UNITS,
    RADIANS,
    SIEMENS,
    Confidence,
    FullRange,
    PhaseEvidence,
)

PI = math.pi


def seen(
    low: float,
    high: float,
    units: str | None = "arbitrary",
    slope: float = 1.0,
    intercept: float = 0.0,
    *,
    whole: bool = False,
    name: str = "echo 1",
) -> PhaseEvidence:
    return PhaseEvidence(name, units, slope, intercept, low, high, whole, gap=False)


@pytest.mark.parametrize(
    ("evidence", "low", "high", "rule"),
    [
        (seen(-PI, PI, "rad"), -PI, PI, "units+range"),
        (seen(-1.0, 1.5, "rad"), -1.0, 1.5, "units"),
        (seen(-PI, PI), -PI, PI, "range"),
        (seen(0, 2 * PI), 0, 2 * PI, "range"),
        (seen(-4096, 4094, whole=True), -PI, PI - 2 * PI / 4096, "range"),
        (seen(-4096, 4094, slope=2, intercept=-4096, whole=True), -PI, PI - 2 * PI / 4096, "slope+range"),
        (seen(-900, 700, slope=2, intercept=-4096, whole=True), -900 * PI / 4096, 700 * PI / 4096, "slope"),
        (seen(0, 4095, whole=True), -PI, PI - 2 * PI / 4096, "range"),
        (seen(-2048, 2047, whole=True), -PI, PI - 2 * PI / 4096, "range"),
        (seen(-3142, 3141.98, slope=1.53455, intercept=-3142), -3.142, 3.14198, "slope+range"),
        (seen(-180, 180, "degrees"), -PI, PI, "units+range"),
        (seen(0, 360, "deg"), 0, 2 * PI, "units+range"),
    ],
)
def test_what_the_rules_find(evidence: PhaseEvidence, low: float, high: float, rule: str) -> None:
    scaling = decide_phase_scaling([evidence, evidence])
    ends = scaling.scale * evidence.low + scaling.offset, scaling.scale * evidence.high + scaling.offset
    assert ends == pytest.approx((low, high), abs=1e-12)
    assert scaling.rule == rule
    assert scaling.confidence is (Confidence.AGREED if "+" in rule else Confidence.SINGLE)
    assert "echo 1" in scaling.sentence


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ([seen(-0.004, 0.004)], "GD-332"),
        ([seen(-0.004, 0.004, None)], "GD-332"),
        ([seen(-1.0, 1.5)], "GD-332"),
        ([seen(-500, 500, slope=0.2442, intercept=-500)], "GD-332"),
        ([seen(0, 0)], "GD-332"),
        ([seen(-4096, 4094, "rad", whole=True)], "GD-331"),
        ([seen(-4096, 4094, "rad", 2, -4096, whole=True)], "GD-331"),
        ([seen(-PI, PI, "degrees")], "GD-331"),
        ([seen(-PI, PI), seen(-4096, 4094, whole=True, name="echo 2")], "GD-331"),
        ([seen(-PI, PI, "rad"), seen(-PI, PI, "arbitrary", name="echo 2")], "GD-331"),
        ([seen(-PI, PI, "rad"), seen(-PI, PI, None, name="echo 2")], "GD-333"),
        ([seen(-PI, PI, "Hz")], "GD-335"),
        ([seen(-50, 40, "degrees")], "GD-335"),
        ([seen(-180, 180, None)], "GD-337"),
        ([seen(-180, 180)], "GD-337"),
        ([PhaseEvidence("echo 1", None, 1, 0, 0, 65535, whole=True, gap=True)], "GD-334"),
    ],
)
def test_what_the_rules_refuse(evidence: list[PhaseEvidence], code: str) -> None:
    with pytest.raises(InputError) as caught:
        decide_phase_scaling(evidence)
    assert caught.value.code == code
    if code in ("GD-331", "GD-332", "GD-337"):
        assert "--phase-units" in caught.value.do or "sidecars" in caught.value.do


@given(low=st.floats(-1e4, 1e4), span=st.floats(1e-6, 1e4), whole=st.booleans())
def test_nothing_is_stretched_from_its_smallest_to_its_largest_value_by_a_rule(
    *, low: float, span: float, whole: bool
) -> None:
    known = {(c.scale, c.offset) for c in CONVENTIONS}
    try:
        scaling = decide_phase_scaling([seen(low, low + span, whole=whole)])
    except InputError:
        return
    assert (scaling.scale, scaling.offset) in known


def test_the_users_word_counts_and_is_held_against_the_evidence() -> None:
    evidence = [seen(-4096, 4094, whole=True)]
    assert decide_phase_scaling(evidence, chosen=SIEMENS).notes == ()
    scaling = decide_phase_scaling(evidence, chosen=RADIANS)
    assert (scaling.scale, scaling.rule, scaling.confidence) == (1.0, "user", Confidence.CHOSEN)
    assert [n.code for n in scaling.notes] == ["GD-331"]


@pytest.mark.parametrize("units", ["rad", None, "Hz"])
def test_the_full_range_is_that_of_all_echoes(units: str | None) -> None:
    evidence = [seen(-0.003, 0.002, units), seen(-0.004, 0.0035, None, name="echo 2")]
    scaling = decide_phase_scaling(evidence, chosen=FullRange())
    ends = [scaling.scale * v + scaling.offset for v in (-0.004, 0.0035)]
    assert ends == pytest.approx([-PI, PI], abs=1e-12)


def test_the_full_range_of_a_constant_is_refused_and_of_unlike_echoes_warned_of() -> None:
    with pytest.raises(InputError) as caught:
        decide_phase_scaling([seen(1, 1)], chosen=FullRange())
    assert caught.value.code == "GD-332"
    unlike = decide_phase_scaling([seen(-1, 1), seen(-100, 100, name="echo 2")], chosen=FullRange())
    assert [n.code for n in unlike.notes] == ["GD-336"]


@pytest.mark.parametrize(("low", "high"), [(-20.0, 30.0), (-0.01, 0.02)])
def test_radians_that_look_like_something_else_are_a_warning(low: float, high: float) -> None:
    assert [n.code for n in decide_phase_scaling([seen(low, high, "rad")]).notes] == ["GD-336"]


def test_a_unit_decided_without_units_is_a_warning() -> None:
    assert [n.code for n in decide_phase_scaling([seen(-PI, PI, None)]).notes] == ["GD-333"]


def test_the_words_of_the_command_line() -> None:
    assert choose("siemens", PHASE_UNITS, what="phase unit") is SIEMENS
    with pytest.raises(UsageError, match="did you mean 'degrees'"):
        choose("degree", PHASE_UNITS, what="phase unit")


def test_radians_stay_bit_for_bit_what_they_were() -> None:
    values = torch.randn(5, 5, 5, generator=torch.Generator().manual_seed(0))
    assert decide_phase_scaling([seen(-PI, PI, "rad")]).apply(values) is values


def of_file(path: Path, units: str | None) -> list[PhaseEvidence]:
    image = read_image(path)
    volumes = image.data if image.data.ndim == 4 else image.data[None]
    return [PhaseEvidence.of(v, image.header, units=units, name=f"echo {n}") for n, v in enumerate(volumes, 1)]


def test_a_real_siemens_phase_image(shared: Path) -> None:
    path = shared / "data/io/dcm_qa_fmap/Ref/Si_3_gre_field_magph_e2_ph.nii"
    scaling = decide_phase_scaling(of_file(path, None))
    assert (scaling.scale, scaling.offset, scaling.rule) == (PI / 4096, 0.0, "slope+range")


@pytest.mark.parametrize("name", ["Ph_801_WIP_B0_NS_e2_fieldmaphz.nii", "GE_6_CV_Neuro_HH_Adv_fieldmaphz.nii"])
def test_real_field_maps_in_hz_are_not_taken_for_phase(shared: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        decide_phase_scaling(of_file(shared / "data/io/dcm_qa_fmap/Ref" / name, None))
    assert caught.value.code == "GD-332"


@pytest.mark.parametrize("name", ["romeo_small", "clearswi_small"])
def test_real_phase_in_a_unit_of_its_own_is_refused_until_the_user_speaks(shared: Path, name: str) -> None:
    evidence = of_file(shared / "data/qsm" / name / "Phase.nii", "arbitrary")
    with pytest.raises(InputError) as caught:
        decide_phase_scaling(evidence)
    assert caught.value.code == "GD-332"
    assert "full-range" in caught.value.do
    scaling = decide_phase_scaling(evidence, chosen=FullRange())
    assert scaling.scale == pytest.approx(855.0, rel=1e-6)  # the factor that the files' makers divided by
    assert scaling.offset == pytest.approx(0.0, abs=1e-6)


def test_simulated_phase_in_radians(shared: Path) -> None:
    scaling = decide_phase_scaling(of_file(shared / "data/qsm/phantom_sim1/phase.nii.gz", "rad"))
    assert (scaling.scale, scaling.offset, scaling.rule, scaling.notes) == (1.0, 0.0, "units+range", ())


def test_signed_phase_kept_in_unsigned_words_is_seen_by_its_gap(tmp_path: Path) -> None:
    signed = np.random.default_rng(0).integers(-4096, 4096, (8, 8, 8))
    nibabel.save(nibabel.Nifti1Image(signed.astype(np.int16).view(np.uint16), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(InputError) as caught:
        decide_phase_scaling(of_file(tmp_path / "a.nii", None))
    assert caught.value.code == "GD-334"
