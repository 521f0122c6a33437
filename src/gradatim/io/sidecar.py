"""JSON sidecars, read strictly: what two programs could read in two ways is refused with its place."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradatim.base.errors import InputError
from gradatim.io.atomic import atomic_file
from gradatim.io.byte_source import open_source

MAX_DEPTH = 32
"""Deepest nesting of a sidecar; BIDS needs four."""
MAX_BYTES = 8 << 20
_MAX_DIGITS = 400

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_STRUCTURE = frozenset("{}[]:,")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Beyond the JSON grammar (RFC 8259) it refuses what that leaves open: duplicate names, NaN and Infinity,
    numbers beyond double precision, a byte order mark, text that is not UTF-8, lone surrogates, deep nesting.

    Args:
        path: the file.

    Returns:
        Name → value.

    Raises:
        InputError: GD-221 with line and column; GD-222 if the file cannot be read.
    """
    with open_source(path) as source:
        content = source.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _refuse(path.name, "", 0, f"more than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise _refuse(path.name, before, len(before), "bytes that are not UTF-8") from error
    return parse_sidecar(text, name=path.name)


def parse_sidecar(text: str, *, name: str) -> dict[str, Any]:
    """The JSON object of a text, with the same strictness as :func:`read_sidecar`.

    Args:
        text: the whole document.
        name: how messages call it.

    Raises:
        InputError: GD-221 with line and column.

    Example:
        >>> parse_sidecar('{"EchoTime": 0.004}', name="a.json")
        {'EchoTime': 0.004}
        >>> parse_sidecar('{"EchoTime": 0.004, "EchoTime": 4}', name="a.json")
        Traceback (most recent call last):
        gradatim.base.errors.InputError: GD-221: a.json, line 1, column 21: the name "EchoTime" a second time; \
allowed: one strict JSON object; correct the sidecar there
    """
    if text.startswith("\ufeff"):
        raise _refuse(name, text, 0, "a byte order mark")
    _scan(text, name)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _refuse(name, text, error.pos, error.msg) from error
    if not isinstance(value, dict):
        raise _refuse(name, text, 0, f"a {type(value).__name__} at the top")
    return value


def write_sidecar(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, in its own order, with NaN refused.

    Args:
        path: final name; its folder must exist.
        content: name → value, plain data.

    Raises:
        ValueError: if a number is not finite: a bug of the caller, since JSON cannot say it.
        ResourceError: GD-502 to GD-504 if the file cannot be written.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_file(path) as file:
        file.write(text.encode("utf-8") + b"\n")


def _scan(text: str, name: str) -> None:
    """Walk over the tokens and refuse what the JSON reader of the standard library would let pass."""
    names: list[set[str] | None] = []  # for each open bracket: names seen in an object, None in an array
    before = ""
    for match in _TOKEN.finditer(text):
        token, place = match.group(), match.start()
        if token in "{[":
            names.append(set() if token == "{" else None)
            if len(names) > MAX_DEPTH:
                raise _refuse(name, text, place, f"nesting deeper than {MAX_DEPTH}")
        elif token in "}]":
            if names:
                names.pop()
        elif token.startswith('"'):
            said = _string(token, name, text, place)
            if names and names[-1] is not None and before in {"{", ","}:
                if said in names[-1]:
                    raise _refuse(name, text, place, f"the name {json.dumps(said)} a second time")
                names[-1].add(said)
        elif token not in _STRUCTURE:
            _check_number(token, name, text, place)
        before = token


def _string(token: str, name: str, text: str, place: int) -> str:
    try:
        said = str(json.loads(token))
        said.encode("utf-8")
    except json.JSONDecodeError as error:
        raise _refuse(name, text, place + error.pos, error.msg) from error
    except UnicodeEncodeError as error:
        raise _refuse(name, text, place, "a lone surrogate") from error
    return said


def _check_number(token: str, name: str, text: str, place: int) -> None:
    if token.lstrip("-") in ("NaN", "Infinity"):
        raise _refuse(name, text, place, f"{token}, which JSON does not have")
    if len(token) > _MAX_DIGITS:
        raise _refuse(name, text, place, f"a word of {len(token)} characters")
    try:
        value = float(token)
    except ValueError:
        return  # true, false and null, or bad grammar that the JSON reader names
    if math.isinf(value):
        raise _refuse(name, text, place, f"{token}, beyond double precision")


def _refuse(name: str, text: str, place: int, what: str) -> InputError:
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return InputError(
        "GD-221",
        given=f"{name}, line {line}, column {column}: {what}",
        allowed="one strict JSON object",
        do="correct the sidecar there",
    )
