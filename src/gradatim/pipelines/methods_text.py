"""What was done, in sentences for a paper: made from the methods that ran, so that it cannot say something else."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

_SOURCE = re.compile(r"Source:\s+(.*?)(?:\n\s*\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class MethodsText:
    """Paragraphs with numbered citations, and the works they cite.

    Args:
        paragraphs: plain text; ``[2]`` cites the second reference.
        references: in the order of their first citation.
    """

    paragraphs: tuple[str, ...]
    references: tuple[str, ...]


def methods_text(route: Any, *, opening: str = "") -> MethodsText:
    """The methods section of a route: one paragraph a stage.

    A stage is a field of the route that holds a method. Its paragraph is the first line of the method's docstring,
    its parameters, and citations of what stands under ``Source`` there, also for the methods inside it.

    Args:
        route: a frozen dataclass whose fields are methods.
        opening: a first paragraph, e.g. about data and software.

    Example:
        >>> from dataclasses import make_dataclass
        >>> from gradatim.qsm.unwrap import Romeo
        >>> text = methods_text(make_dataclass("Route", [("unwrap", Romeo)], frozen=True)(Romeo(first_echo=None)))
        >>> text.paragraphs[0]
        'Unwrap: unwraps a multi-echo scan: one template in space, the other echoes in time (Romeo) [1].'
        >>> text.references[0][:15]
        'Dymerska et al.'
    """
    references: dict[str, int] = {}
    paragraphs = [opening] if opening else []
    for stage in fields(route):
        members = list(_methods(getattr(route, stage.name)))
        if members:
            paragraphs.append(_paragraph(stage.name.replace("_", " "), members, references))
    return MethodsText(tuple(paragraphs), tuple(references))


def source_of(method: Any) -> str:
    """What a method's docstring names under ``Source``, on one line; empty where it names nothing."""
    found = _SOURCE.search(inspect.getdoc(type(method)) or "")
    return " ".join(found.group(1).split()) if found else ""


def _methods(value: Any) -> Iterator[Any]:
    """A method and those inside it, outermost first; plain data is none."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _methods(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in fields(value):
            yield from _methods(getattr(value, field.name))
    elif value is not None and not isinstance(value, str | int | float) and source_of(value):
        yield value


def _paragraph(stage: str, members: list[Any], references: dict[str, int]) -> str:
    head, *inner = members
    told = _told(head)
    used = [f"{type(member).__name__}{_numbers(member)}" for member in inner if _numbers(member)]
    within = f", with {', '.join(dict.fromkeys(used))}" if used else ""
    cited = [source for member in members if (source := source_of(member))]
    marks = sorted({references.setdefault(source, len(references) + 1) for source in cited})
    cites = f" {', '.join(f'[{mark}]' for mark in marks)}" if marks else ""
    return f"{stage[:1].upper()}{stage[1:]}: {told} ({type(head).__name__}{_numbers(head)}{within}){cites}."


def _told(method: Any) -> str:
    """The first line of a method's docstring, ready to stand within a sentence."""
    line = (inspect.getdoc(type(method)) or "").partition("\n")[0].partition(" Source:")[0].rstrip(".")
    lower = line[:1].lower() + line[1:]
    return line if line[1:2].isupper() else lower


def _numbers(method: Any) -> str:
    """The plain parameters of a method in words, ``" radius_mm = 5, order = 2"``; empty where it has none."""
    if not is_dataclass(method):
        return ""
    plain = [(field.name, getattr(method, field.name)) for field in fields(method)]
    said = [f"{name} = {_value(value)}" for name, value in plain if _is_plain(value)]
    return f" {', '.join(said)}" if said else ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(isinstance(item, str | int | float) for item in value)
    return isinstance(value, str | int | float)


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(_value(item) for item in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
