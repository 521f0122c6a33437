"""Settings with a name: what they share, what tells them apart, and how they are written down."""

import json

import pytest

from gradatim.radiomics.presets import PRESETS

IN_SLICES = {"BTW3", "SUJT", "JJUI", "ZW7Z", "8QNN", "62GR"}
IN_SPACE = {"ITBB", "IAZD", "KOBO"}


def test_every_preset_has_settings_of_its_own() -> None:
    assert len({extraction.settings for extraction in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_plain_data(name: str) -> None:
    parameters = PRESETS[name].parameters
    assert json.loads(json.dumps(parameters, allow_nan=False)) == parameters


@pytest.mark.parametrize(
    ("name", "aggregations"),
    [
        ("ibsi-digital", IN_SLICES | IN_SPACE),
        ("ibsi-a", IN_SLICES),
        ("ibsi-b", IN_SLICES),
        ("ibsi-c", IN_SPACE),
        ("ibsi-d", IN_SPACE),
        ("ibsi-e", IN_SPACE),
    ],
)
def test_aggregations_of_the_ibsi_presets(name: str, aggregations: set[str]) -> None:
    assert {aggregation.code for aggregation in PRESETS[name].aggregations} == aggregations
