"""What must not stand in any text file of the project."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.tree.source import CHECKOUT, Source

KEPT_OUT = {".git", ".venv", ".hypothesis", "demo-output", "__pycache__", "build", "dist"}
TEXT = {".py", ".pyi", ".md", ".toml", ".cff", ".yml", ".yaml", ".sh", ".html", ".j2", ".js", ".css", ".txt", ".json"}

MACHINE = re.compile(r"(?<![\w.<{}])/(?:home|root|Users|work|mnt|srv|data\d*)/\w")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|pytorch\.org/whl|npmjs\.|anaconda\.org|ghcr\.io|docker\.io|deb\.debian", re.IGNORECASE
)
UNDONE = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b|raise NotImplemented[E]rror")


@cache
def text_files() -> tuple[Source, ...]:
    """Every text file that belongs to the project, this one too."""
    found = []
    for folder, inner, names in os.walk(CHECKOUT):
        inner[:] = sorted(name for name in inner if not (name in KEPT_OUT or name.endswith(("_cache", ".egg-info"))))
        paths = [Path(folder, name) for name in sorted(names) if _is_text(name)]
        found += [Source(str(path.relative_to(CHECKOUT)), path.read_text(encoding="utf-8")) for path in paths]
    return tuple(found)


def _is_text(name: str) -> bool:
    return Path(name).suffix in TEXT or name in {"Makefile", "run", ".gitignore"}


def _lines(source: Source, pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for number, line in enumerate(source.text.split("\n"), 1):
        found = pattern.search(line)
        if found:
            yield f"{source.path}:{number}: {what}: {found.group()}"


def no_path_of_a_machine(source: Source) -> Iterator[str]:
    """A path that exists on one machine only."""
    yield from _lines(source, MACHINE, "a path of one machine")


def no_registry_host(source: Source) -> Iterator[str]:
    """Where packages come from is the user's own configuration."""
    yield from _lines(source, REGISTRY, "the host of a package registry")


def nothing_left_undone(source: Source) -> Iterator[str]:
    """What is not done is not there."""
    yield from _lines(source, UNDONE, "left undone")


WORD_RULES = (no_path_of_a_machine, no_registry_host, nothing_left_undone)
