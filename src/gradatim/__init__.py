"""gradatim: quantitative imaging from the scanner's gradients to an answer.

The public list. Nouns and errors stand here by name; the steps of the chain by their module, so that code reads as it
is spoken: ``gd.unwrap.Romeo()``. Nothing is imported before it is asked for.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    # the nouns: signal → field → map → regions → features → answer, and where their voxels lie
    "Answer": "base.nouns:Answer",
    "Feature": "base.nouns:Feature",
    "FieldMap": "base.nouns:FieldMap",
    "Grid": "base.grid:Grid",
    "MultiEcho": "base.nouns:MultiEcho",
    "QuantitativeMap": "base.nouns:QuantitativeMap",
    "Regions": "base.nouns:Regions",
    # what may be refused
    "GradatimError": "base.errors:GradatimError",
    "InputError": "base.errors:InputError",
    "ResourceError": "base.errors:ResourceError",
    "UnsafeInputError": "base.errors:UnsafeInputError",
    "UsageError": "base.errors:UsageError",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return import_module("importlib.metadata").version("gradatim")
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no public name {name!r}; it has {', '.join(__all__)}")
    module, _, attribute = _HOMES[name].partition(":")
    home = import_module(f"gradatim.{module}")
    return getattr(home, attribute) if attribute else home


def __dir__() -> list[str]:
    return sorted(__all__)
