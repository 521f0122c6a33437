"""Scanners by their names."""

import math

import pytest

from gradatim.base.errors import UsageError
from gradatim.scanner.named_system import named_system, named_systems


@pytest.mark.parametrize("name", ["MAGNETOM Cima X", "magnetom cima x", " MAGNETOM_Cima X "])
def test_a_model_is_found_however_its_name_is_written(name: str) -> None:
    found = named_system(name)
    assert (found.system.max_gradient, found.system.max_slew, found.system.field_strength) == (0.2, 200.0, 3.0)
    assert found.manufacturer == "Siemens Healthineers"
    assert found.sources


def test_the_table_holds_the_vendors() -> None:
    every = list(named_systems())
    assert {known.manufacturer.split()[0] for known in every} >= {"Siemens", "GE", "Philips"}
    assert len({known.name for known in every}) == len(every)
    for known in every:
        assert named_system(known.name) == known


def test_limits_of_all_axes_combined_are_shared_and_said() -> None:
    combined = [known for known in named_systems() if "mT/m on all axes combined" in known.stated]
    assert combined
    for known in combined:
        stated = float(known.stated.split(" mT/m")[0]) / 1e3
        assert known.system.max_gradient == pytest.approx(stated / math.sqrt(3))


def test_the_limits_are_those_of_the_package() -> None:
    import pulseq_systems

    specs = pulseq_systems.get_pulseq_specs("GE HealthCare", "SIGNA Premier")
    found = named_system("SIGNA Premier").system
    assert specs["max_grad"] == pytest.approx(found.max_gradient * 1e3)
    assert specs["max_slew"] == pytest.approx(found.max_slew)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("prisma", "MAGNETOM Prisma"), ("MAGNETOM Vida", r"MAGNETOM Vida \(XT"), ("MAGNETOM Prism", "MAGNETOM Prisma")],
)
def test_a_near_name_is_suggested(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"GD-102: .*did you mean '{meant}"):
        named_system(word)


@pytest.mark.parametrize("word", ["", "zzz"])
def test_an_unknown_name_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"GD-102: .*choose one of those"):
        named_system(word)
