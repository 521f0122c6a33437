"""A method's parameters as data: complete, plain, and different where the method is."""

import json
import math
from dataclasses import dataclass, fields, replace
from enum import Enum

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.pipelines.parameters import parameters, parameters_sha256
from gradatim.pipelines.scan_run import ScanRun
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.qsm.masks import BrainMask
from gradatim.radiomics.presets import QSM


class Side(Enum):
    LEFT = 1


@dataclass(frozen=True)
class Inner:
    width: float = math.inf


@dataclass(frozen=True)
class Outer:
    inner: Inner
    side: Side = Side.LEFT
    sizes: tuple[int, ...] = (1, 2)
    nothing: None = None


def test_methods_within_methods_enums_and_infinity() -> None:
    assert parameters(Outer(Inner())) == {
        "method": "Outer",
        "inner": {"method": "Inner", "width": "inf"},
        "side": "LEFT",
        "sizes": [1, 2],
        "nothing": None,
    }


def test_a_tensor_is_told_by_its_content() -> None:
    zero, one = (parameters(torch.full((2, 3), value)) for value in (0.0, 1.0))
    assert zero["shape"] == [2, 3]
    assert zero != one


def test_what_would_be_lost_is_refused() -> None:
    class Stateful:
        def __init__(self) -> None:
            self.hidden = 1

    for lost in (Stateful(), len, lambda x: x, BrainMask):
        with pytest.raises(UsageError, match="GD-106"):
            parameters(lost)


def test_the_whole_route_is_there_and_is_json() -> None:
    route = SusceptibilityRoute()
    data = parameters(route)
    assert data.keys() == {"method", *(field.name for field in fields(route))}
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert parameters(ScanRun())["route"] == data


def test_a_methods_own_words_count_where_it_has_them() -> None:
    assert parameters(QSM) == {"method": "Extraction", **QSM.parameters}


def test_the_hash_knows_every_parameter() -> None:
    one, other = SusceptibilityRoute(), replace(SusceptibilityRoute(), brain=BrainMask(opening_mm=4.0))
    assert parameters_sha256(parameters(one)) == parameters_sha256(parameters(SusceptibilityRoute()))
    assert parameters_sha256(parameters(one)) != parameters_sha256(parameters(other))
