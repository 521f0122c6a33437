"""What was done, in sentences for a paper: made from the methods that ran, so that it cannot say something else."""

import inspect
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from gradatim.pipelines.parameters import parameters

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


def methods_text(route: Any, *, opening: str = "", unused: Collection[str] = ()) -> MethodsText:
    """The methods section of a route: one paragraph a stage.

    A stage is a field of the route that holds a method. Its paragraph has a sentence for the method and one for each
    that it calls: the first line of the docstring, the parameters, and citations of what stands under ``Source``.

    Args:
        route: a frozen dataclass whose fields are methods.
        opening: a first paragraph, e.g. about data and software.
        unused: fields whose method did not run, because the user gave what it would have found.

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
    for stage, method in _parts(route):
        if stage not in unused:
            paragraphs.append(" ".join(_sentences(stage, method, references)))
    return MethodsText(tuple(paragraphs), tuple(references))


def source_of(method: Any) -> str:
    """What a method's docstring names under ``Source``, on one line; empty where it names nothing."""
    found = _SOURCE.search(inspect.getdoc(type(method)) or "")
    return " ".join(found.group(1).split()) if found else ""


def _sentences(name: str, method: Any, references: dict[str, int]) -> Iterator[str]:
    """One sentence on a method, then one on each method that it calls."""
    title = name.replace("_", " ")
    head = f"{type(method).__name__}{_settings(method)}"
    cited = dict.fromkeys(source for each in (method, *_inside(method)) if (source := source_of(each)))
    marks = [references.setdefault(source, len(references) + 1) for source in cited]
    cites = "".join(f" [{mark}]" for mark in marks)
    yield f"{title[:1].upper()}{title[1:]}: {_told(method)} ({head}){cites}."
    for part, inner in _parts(method):
        yield from _sentences(part, inner, references)


def _parts(method: Any) -> list[tuple[str, Any]]:
    """The fields of a method that are called themselves, with their names."""
    values = [(field.name, getattr(method, field.name)) for field in fields(method)] if _is_data(method) else []
    return [(name, value) for name, value in values if _is_data(value) and callable(value)]


def _inside(method: Any) -> Iterator[Any]:
    """What a method holds and does not call: families of features, stopping rules, aggregations."""
    called = {id(part) for _, part in _parts(method)}
    for field in fields(method) if _is_data(method) else ():
        value = getattr(method, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if id(each) not in called and not isinstance(each, str | int | float | Enum | None):
                yield each
                yield from _inside(each)


def _told(method: Any) -> str:
    """The first line of a method's docstring, ready to stand within a sentence."""
    line = (inspect.getdoc(type(method)) or "").partition("\n")[0].partition(" Source:")[0].rstrip(".")
    return line if line[1:2].isupper() else line[:1].lower() + line[1:]


def _settings(method: Any) -> str:
    """The parameters of a method in words, without those of the methods it calls."""
    called = {name for name, _ in _parts(method)}
    said = {key: value for key, value in parameters(method).items() if key not in {"method", *called}}
    words = [f"{key} = {_word(value)}" for key, value in said.items() if _word(value)]
    return f": {', '.join(words)}" if words else ""


def _word(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_word(each)}" for key, each in value.items() if key != "method" and _word(each))
        return f"{value.get('method', '')}({inner})" if inner else str(value.get("method", ""))
    if isinstance(value, list):
        words = [_word(each) for each in value]
        return words[0] if len(words) == 1 else f"({', '.join(words)})"
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_data(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)
