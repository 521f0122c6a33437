"""A report as one page: no request leaves it, nothing in it can run but its own viewer."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path

from gradatim.base.errors import ResourceError
from gradatim.base.optional import jinja2
from gradatim.io.atomic import atomic_file
from gradatim.report.content import Figure, Report
from gradatim.report.text import number, visible
from gradatim.report.volume import pack

LIMIT_BYTES = 15_000_000
"""The largest page that is written."""

_REST = 300_000  # words, tables, style and script beside the pictures and volumes


def render(report: Report) -> str:
    """The page of a report: HTML with style, viewer, pictures and volumes inside.

    Its content security policy allows the one style and the one script of this package by their hashes, pictures
    from within the page, and nothing else. Every word goes through the template engine's escaping; control and
    direction-changing characters are written out; data for the viewer cannot close their script element.

    Args:
        report: what to show.

    Returns:
        The page as text. The same report gives the same text.

    Raises:
        ResourceError: GD-501 if jinja2 is missing; GD-520 if the page without volumes is already too large.

    Example:
        >>> "&lt;script&gt;" in render(Report("<script>alert(1)</script>"))
        True
    """
    engine = jinja2()
    figures = [figure for section in report.sections for figure in section.figures]
    budget = LIMIT_BYTES - _REST - sum(len(_picture(figure)) for figure in figures)
    scene = pack(report.scene, budget) if report.scene else None
    own = files("gradatim.report")
    style, script = (own.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "viewer.js"))
    environment = engine.Environment(
        autoescape=True,
        undefined=engine.StrictUndefined,
        finalize=_spell_out,
    )
    environment.filters.update(number=number, picture=_picture)
    template = environment.from_string(own.joinpath("template.html.j2").read_text(encoding="utf-8"))
    page = template.render(
        report=report,
        scene=scene,
        data_block=_data_block(scene.data) if scene else "",
        plain=[(name, value) for name, value in report.provenance.items() if _is_plain(value)],
        nested=[
            (name, json.dumps(value, indent=2, ensure_ascii=False, default=str))
            for name, value in report.provenance.items()
            if not _is_plain(value)
        ],
        policy=_policy(style, script),
        style=style,
        script=script,
    )
    if (size := len(page.encode())) > LIMIT_BYTES:
        raise ResourceError(
            "GD-520",
            given=f"a report of {size / 1e6:.1f} MB",
            allowed=f"at most {LIMIT_BYTES / 1e6:.0f} MB",
            do="give it fewer or smaller pictures and tables",
        )
    return page


def write_report(path: Path, report: Report) -> None:
    """Write a report's page; the file is the old one or the whole new one, never a part.

    Args:
        path: where, usually ``report.html``; its folder must exist.
        report: what to show.

    Raises:
        ResourceError: GD-501 and GD-520 as :func:`render`; GD-502 to GD-504 if the file cannot be written.

    Example:
        >>> import tempfile
        >>> page = Path(tempfile.mkdtemp()) / "report.html"
        >>> write_report(page, Report("Susceptibility"))
        >>> page.read_text(encoding="utf-8")[:15]
        '<!DOCTYPE html>'
    """
    page = render(report).encode()
    with atomic_file(path) as file:
        file.write(page)


def _spell_out(value: object) -> object:
    """What the template engine does to every expression before it escapes it; text already escaped passes."""
    return visible(str(value)) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _data_block(data: object) -> str:
    """JSON for a script element: no text in it can end the element or hide from a reader of the source."""
    text = json.dumps(_visible_everywhere(data), allow_nan=False, separators=(",", ":"))  # ASCII only
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _visible_everywhere(data: object) -> object:
    if isinstance(data, str):
        return visible(data)
    if isinstance(data, dict):
        return {key: _visible_everywhere(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_visible_everywhere(value) for value in data]
    return data


def _policy(style: str, script: str) -> str:
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _picture(figure: Figure) -> str:
    return f"data:{figure.mime};base64,{base64.b64encode(figure.data).decode()}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) or value is None
