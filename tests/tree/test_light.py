"""Nothing heavy is imported before a command runs."""

import json
import subprocess
import sys

import pytest

LIGHT = {"gradatim", "tyro", "docstring_parser", "typeguard", "typing_extensions", "rich", "shtab"}
"""Packages that start-up may import; everything else waits until it is needed."""

PROBE = """
import json, sys
before = set(sys.modules)
try:
    {what}
except SystemExit:
    pass
print(json.dumps(sorted({{name.split(".")[0] for name in set(sys.modules) - before}})), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "what",
    [
        "from gradatim.cli.main import main; main(['--help'])",
        "from gradatim.cli.main import main; main(['doctor', '--help'])",
        "from gradatim.cli.main import main; main(['no-such-command'])",
        "import gradatim",
    ],
)
def test_start_up_imports_nothing_heavy(what: str) -> None:
    ran = subprocess.run([sys.executable, "-c", PROBE.format(what=what)], capture_output=True, text=True, check=True)
    roots = set(json.loads(ran.stderr.strip().split("\n")[-1]))
    foreign = {name for name in roots if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert foreign <= LIGHT, f"imported too early: {sorted(foreign - LIGHT)}"
