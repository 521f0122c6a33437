"""The pages tell the truth: versions agree, the two READMEs are equal, what they show can be run."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from docs.build_errors import PAGE, page
from gradatim.cli.main import COMMANDS, parse
from tests.tree.source import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
PAGES = sorted(
    path
    for folder in (CHECKOUT, CHECKOUT / "docs", CHECKOUT / "benchmarks")
    for path in (folder.rglob("*.md") if folder != CHECKOUT else folder.glob("*.md"))
)
ENGLISH, CHINESE = CHECKOUT / "README.md", CHECKOUT / "README.zh-CN.md"


def fences(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[tuple[str, str]]:
    """Every line that a page asks its reader to type: the page and the line."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in fences(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
        lines += re.findall(r"`((?:gradatim|make) [^`]+)`", text)
        found += [(path.name, line.split("  #")[0].strip()) for line in lines if line.strip()]
    return sorted(set(found))


def skeleton(path: Path) -> list[str]:
    """What two translations share: levels of headings, sizes of tables, code and commands, links."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^(#+) ", prose, re.MULTILINE)
    rows = [str(line.count("|")) for line in prose.splitlines() if line.startswith("|")]
    links = sorted(re.findall(r"\]\(([^)]+)\)", prose))
    return [*headings, *rows, *links, *sorted(re.findall(r"`[^`\n]+`", prose)), *fences(text, "[a-z]+")]


def test_the_two_readmes_are_equal() -> None:
    assert skeleton(CHINESE) == skeleton(ENGLISH)


@pytest.mark.parametrize("path", [ENGLISH, CHINESE, CHECKOUT / "CITATION.cff"], ids=lambda path: path.name)
def test_the_version_is_named(path: Path) -> None:
    versions = re.findall(r"(?i)(?:version|版本)[: ]+(\d+\.\d+\.\d+)", path.read_text(encoding="utf-8"))
    assert PROJECT["version"] in versions


def test_the_changelog_has_an_entry_for_the_version() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    entry = re.search(rf"^## \[{re.escape(PROJECT['version'])}\].*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert entry, f"CHANGELOG.md has no entry for {PROJECT['version']}"
    assert re.search(r"^- ", entry.group(), re.MULTILINE), "the entry is empty"


def test_the_page_of_errors_is_the_table_of_codes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize(("where", "line"), shell_lines(), ids=lambda value: str(value)[:60])
def test_a_command_on_a_page_can_be_typed(where: str, line: str) -> None:
    words = [word for word in shlex.split(line) if "=" not in word or word.startswith("-")]
    if words[0] == "gradatim":
        if len(words) > 2 and words[1] != "COMMAND" and words[2:] != ["--help"]:
            parse(words[1:])
        else:
            assert words[1] in {*COMMANDS, "COMMAND", "...", "--help", "--version"}, where
    elif words[0] == "make":
        assert all(re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE) for target in words[1:]), where
    elif words[:2] == ["pip", "install"]:
        extras = re.findall(r"\[([\w,]+)\]", line)
        assert all(extra in PROJECT["optional-dependencies"] for each in extras for extra in each.split(",")), where
    else:
        pytest.fail(f"{where} shows {line!r}, which nobody tests")


def test_both_readmes_show_every_command_or_lead_to_it() -> None:
    listed = "\n".join(p.read_text(encoding="utf-8") for p in (ENGLISH, CHECKOUT / "CHANGELOG.md"))
    assert [name for name in COMMANDS if f"gradatim {name}" not in listed] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_python_on_a_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in fences(path.read_text(encoding="utf-8"), "python"):
        exec(compile(block, str(path), "exec"), names)
    assert "__builtins__" in names or not names
