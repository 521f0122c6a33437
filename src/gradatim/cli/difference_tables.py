"""The difference between two settings, as tables that a person reads."""

import math

from rich import box
from rich.console import Console
from rich.table import Table

from gradatim.cli.outcome import plain
from gradatim.pipelines.settings_difference import SettingsDifference
from gradatim.radiomics.comparison.counterparts import Pair
from gradatim.radiomics.comparison.steps import StepNumbers, parted
from gradatim.radiomics.comparison.substitution import NOTICEABLE, Contrast, said

_WIDTH = 120
"""Columns where no terminal tells its own width."""


def print_difference(difference: SettingsDifference, first: str, second: str, *, rows: int) -> None:
    """Print what differs to stdout.

    Args:
        difference: what was found.
        first: what the user calls the first settings.
        second: what the user calls the second.
        rows: how many features at most.
    """
    out = Console(highlight=False, markup=False, width=None if Console().is_terminal else _WIDTH)
    first, second = plain(first), plain(second)
    if not difference.parameters:
        out.print(f"{first} and {second} are the same settings")
        return
    table = Table(title="What differs", box=box.SIMPLE, title_justify="left", pad_edge=False, show_lines=True)
    for column, share in (("setting", 3), (first, 4), (second, 4), ("what it does", 6)):
        table.add_column(column, ratio=share, overflow="fold")
    for each in difference.parameters:
        table.add_row(each.setting, plain(each.first), plain(each.second), each.effect)
    out.print(table)
    if difference.features is not None:
        _print_steps(out, difference, first, second)
        _print_features(out, difference.features, first, second, rows=rows)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_steps(out: Console, difference: SettingsDifference, first: str, second: str) -> None:
    names = ("shape voxels", "voxels", "minimum", "mean", "maximum")
    table = _table("Step by step, up to the first that differs", "region", "after", "settings", *names)
    for step in difference.steps:
        for name, side in ((first, step.first), (second, step.second)):
            table.add_row(plain(step.region), step.stage, name, *_said(side))
    out.print(table)
    for region, stage in parted(difference.steps).items():
        out.print(f"{plain(region)}: the two part at the step '{stage}'", soft_wrap=True)
    if not parted(difference.steps):
        out.print("the two agree after every step", soft_wrap=True)


def _print_features(out: Console, found: Contrast, first: str, second: str, *, rows: int) -> None:
    table = _table(f"From {first} to {second}, one setting after the other", "setting", "features that move", "most")
    for step in found.substitutions:
        most = f"{step.changed[0].meaning} {_percent(step.changed[0])}" if step.changed else ""
        table.add_row(step.setting, f"{len(step.changed)} of {step.compared}", most)
    out.print(table)
    out.print(
        f"{len(found.changed)} of {found.compared} features differ by more than {NOTICEABLE:.1%}"
        f"{f', the first {rows}:' if len(found.changed) > rows else ''}",
        soft_wrap=True,
    )
    table = _table("Features that differ", "region", first, "value", second, "value", "difference")
    for pair in found.changed[:rows]:
        one, other = pair.first, pair.second
        table.add_row(
            plain(one.region), said(one), f"{one.value:.6g}", said(other), f"{other.value:.6g}", _percent(pair)
        )
    if found.changed and rows > 0:
        out.print(table)


def _said(side: StepNumbers) -> list[str]:
    numbers = (side.minimum, side.mean, side.maximum)
    return [f"{side.shape_voxels:.0f}", f"{side.voxels:.0f}", *(f"{number:.6g}" for number in numbers)]


def _percent(pair: Pair) -> str:
    return "defined in one only" if math.isinf(pair.difference) else f"{pair.difference:.1%}"
