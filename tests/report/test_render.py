"""One page: complete, closed to the network, and deaf to whatever a name tries to say."""

import base64
import hashlib
import html
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gradatim.base.errors import InputError, ResourceError, UsageError
from gradatim.base.grid import Grid
from gradatim.report.content import Column, Fault, Figure, Methods, Report, Section, Table, Verdict
from gradatim.report.figures import SliceMosaic
from gradatim.report.plots import IntervalPlot
from gradatim.report.render import LIMIT_BYTES, render, write_report
from gradatim.report.scene import Overlay, Scene, Volume

GRID = Grid((6, 5, 4), (1.0, 1.0, 2.0))
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 191 }}{% raw %}",
    "[x](https://evil.example/x)",
    "\x1b[31mred\x1b]8;;https://evil.example\x07",
    "scan\u202egnp",
    "a\u2028b",
    b"sub-\xc0\xee".decode("utf-8", "surrogateescape"),
    "&lt;b&gt; &amp; $\\frac",
)


class Page(HTMLParser):
    """Collects the elements with their attributes, the text outside scripts, and each raw block."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.blocks, self.text, self.inside = [], [], "", None
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag
        if tag in ("script", "style"):
            self.blocks.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside in ("script", "style"):
            self.blocks[-1][2] += data
        else:
            self.text += data


def full(name="sub-01"):
    volume = Volume(name, name, np.zeros(GRID.shape), GRID, (-1.0, 1.0))
    overlay = Overlay(name, np.ones(GRID.shape, dtype=int), GRID, {1: name})
    mosaic = SliceMosaic(name, name, (-1.0, 1.0), slices=1)(np.zeros(GRID.shape), grid=GRID)
    plot = IntervalPlot(name, name, error=name)((name,), (0.1,), (0.01,))
    table = Table(name, (Column(name, name), Column("n")), ((name, 1.0), (name, float("nan")), (name, None)))
    return Report(
        title=name,
        subtitle=name,
        verdicts=(Verdict("good", name, 1, name), Verdict("warn", name), Verdict("bad", name, float("nan"))),
        scene=Scene((volume,), (overlay,)),
        sections=(Section(name, (name,), (Verdict("good", name),), (mosaic, plot), (table,)),),
        faults=(Fault(name, name, name, name, name),),
        methods=Methods((name,), (name,)),
        provenance={name: name, "seed": 0, "nothing": None, "nested": {name: [name, {"k": name}]}},
    )


@pytest.fixture(scope="module")
def plain():
    return Page(render(full()))


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup_script_or_a_hidden_character(name, plain):
    source = render(full(name))
    page = Page(source)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert [sorted(attrs) for _, attrs in page.elements] == [sorted(attrs) for _, attrs in plain.elements]
    assert [block[2] for block in page.blocks if not block[1]] == [b[2] for b in plain.blocks if not b[1]]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", source)
    scene = json.loads(next(block[2] for block in page.blocks if block[1].get("id") == "scene"))
    assert html.unescape(scene["volumes"][0]["name"]) in html.unescape(page.text)


@pytest.mark.parametrize("name", HOSTILE[:3])
def test_the_data_block_has_no_character_that_could_end_it(name):
    block = re.search(r'<script type="application/json" id="scene">(.*?)</script>', render(full(name))).group(1)
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block)["overlays"][0]["labels"][0]["name"] == name


def test_names_of_other_scripts_stay_as_they_are():
    assert Page(render(full("受试者 مريض"))).text.count("受试者 مريض") > 10


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else(plain):
    policy = next(a["content"] for tag, a in plain.elements if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    script, style = (next(b[2] for b in plain.blocks if b[0] == kind and not b[1]) for kind in ("script", "style"))
    sha = {text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)}
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{sha[script]}'",
        "style-src": f"'sha256-{sha[style]}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_nothing_in_the_page_points_outside_it(plain):
    for tag, attributes in plain.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "audio", "video", "svg")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("style", "srcset", "action", "formaction", "ping", "background")
            if name in ("src", "href"):
                assert value.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,", "#"))
    script, style = (next(b[2] for b in plain.blocks if b[0] == kind and not b[1]) for kind in ("script", "style"))
    assert not re.search(r"https?:|//cdn|fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(|document\.write", script)
    assert not re.search(r"https?:|url\(|@import", style)


def test_every_picture_has_words_and_every_link_has_an_end(plain):
    assert all(attributes["alt"] for tag, attributes in plain.elements if tag == "img")
    ends = {attributes.get("id") for _, attributes in plain.elements}
    links = [attributes["href"] for tag, attributes in plain.elements if tag == "a"]
    assert links
    assert {link[1:] for link in links} <= ends


def test_numbers_arrive_as_given_and_absent_ones_say_so(plain):
    assert "undefined" in plain.text
    assert "–" in plain.text
    assert "No errors." not in plain.text
    assert "No errors." in Page(render(Report("Empty"))).text


def test_the_same_report_gives_the_same_page():
    assert render(full()) == render(full())


def test_a_report_of_noise_stays_under_the_limit_and_says_what_it_left_out():
    grid = Grid((128, 128, 128), (1.0, 1.0, 1.0))
    noise = np.random.default_rng(0).uniform(-8, 8, grid.shape)
    volumes = tuple(Volume(name, "ppm", noise, grid, (-0.1, 0.1)) for name in ("first", "second", "third"))
    source = render(Report("Noise", scene=Scene(volumes)))
    assert LIMIT_BYTES * 0.5 < len(source.encode()) <= LIMIT_BYTES
    assert "Left out of the viewer, because the page would grow too large: third." in source
    assert '<option value="2">' not in source


def test_pictures_beyond_the_limit_are_refused():
    figure = Figure("Huge", "huge", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(LIMIT_BYTES), 10)
    with pytest.raises(ResourceError) as caught:
        render(Report("Huge", sections=(Section("Pictures", figures=(figure,)),)))
    assert caught.value.code == "GD-520"


def test_a_missing_template_engine_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ResourceError, match=r"GD-501.*pip install 'gradatim\[report\]'"):
        render(Report("Empty"))


def test_an_error_becomes_a_row_with_its_five_parts():
    error = InputError("GD-601", given="no voxel", allowed="at least one", do="give a mask")
    text = Page(render(Report("Empty", faults=(Fault.of(error, "sub-01 <mask>"),)))).text
    assert all(part in text for part in ("sub-01 <mask>", "GD-601", "no voxel", "at least one", "give a mask"))


def test_a_refused_report_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, Report("First"))
    before = path.read_bytes()
    huge = Figure("Huge", "huge", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(LIMIT_BYTES), 10)
    with pytest.raises(ResourceError):
        write_report(path, Report("Second", sections=(Section("Pictures", figures=(huge,)),)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ResourceError):
        write_report(tmp_path / "missing" / "report.html", Report("Third"))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Figure("c", "a", "image/svg+xml", b"<svg onload='alert(1)'/>", 10),
        lambda: Figure("c", "a", "text/html", b"<html>", 10),
        lambda: Figure("c", "", "image/png", b"\x89PNG\r\n\x1a\n", 10),
        lambda: Verdict("fine", "all well"),
        lambda: Table("t", (Column("a"),), ((1, 2),)),
    ],
)
def test_foreign_pictures_and_malformed_records_are_refused(build):
    with pytest.raises(UsageError):
        build()


def test_the_page_never_opens_a_file_a_record_names(tmp_path):
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg>canary-7f3a</svg>")
    source = render(full(str(secret)))
    assert "canary-7f3a" not in source
    assert base64.b64encode(b"canary-7f3a").decode()[:10] not in source


def test_the_viewer_is_about_two_hundred_lines_and_cannot_close_its_element():
    script = Path(sys.modules["gradatim.report.render"].__file__).with_name("viewer.js").read_text(encoding="utf-8")
    assert not re.search(r"</script|<!--", script, re.IGNORECASE)
    assert script.count("\n") < 300
