"""The house rules hold for every file, and each rule catches what it is for."""

import pytest

from tests.tree.floors import FLOOR_RULES
from tests.tree.shapes import SHAPE_RULES
from tests.tree.source import Rule, Source, package_sources
from tests.tree.words import WORD_RULES, text_files

RULES: dict[str, Rule] = {rule.__name__: rule for rule in (*FLOOR_RULES, *SHAPE_RULES, *WORD_RULES)}
OF_WORDS = {rule.__name__ for rule in WORD_RULES}

LONG_BODY = "\n".join(f"    x{i} = {i}" for i in range(61))
SLASH = "/"

BAD = [
    ("floors_stand_in_order", "base/a.py", "import torch\nfrom gradatim.linop.fft import Fourier", 2),
    ("floors_stand_in_order", "linop/a.py", "from gradatim.solve.solution import Solution", 1),
    ("floors_stand_in_order", "qsm/a.py", "def f():\n    from gradatim.relaxation.fit import Fit", 2),
    ("floors_stand_in_order", "qsm/a.py", "from gradatim import Grid", 1),
    ("floors_stand_in_order", "qsm/deep/a.py", "import gradatim.io.nifti", 1),
    ("floors_stand_in_order", "pipelines/a.py", "from gradatim.report.page import Page", 1),
    ("floors_stand_in_order", "report/a.py", "from gradatim.cli.main import main", 1),
    ("floors_stand_in_order", "io/a.py", "from gradatim.qsm.dipole import Tkd", 1),
    ("floors_stand_in_order", "newroom/a.py", "", 1),
    ("imports_name_leaf_modules", "cli/a.py", "from gradatim.base import CODES", 1),
    ("imports_name_leaf_modules", "cli/a.py", "import gradatim.base", 1),
    ("imports_name_leaf_modules", "cli/a.py", "from .main import main", 1),
    ("folders_hold_only_a_sentence", "qsm/__init__.py", '"""Doc."""\nimport torch', 2),
    ("no_drawers", "qsm/utils.py", "", 1),
    ("no_drawers", "base/_helpers/a.py", "", 1),
    ("no_open_kwargs", "qsm/a.py", "x = 1\ndef f(a, **options): ...", 2),
    ("no_flags", "qsm/a.py", "def f(a, *, fast=False): ...", 1),
    ("no_flags", "qsm/a.py", "class A:\n    fast: bool = True\n    def __call__(self, x): ...", 2),
    ("sizes_stay_human", "qsm/a.py", "\n" * 401, 1),
    ("sizes_stay_human", "qsm/a.py", f"def f():\n{LONG_BODY}", 1),
    ("sizes_stay_human", "qsm/a.py", "def f(a, b, c, d, e, *, f, g, h, i): ...", 1),
    ("methods_are_frozen_dataclasses", "qsm/a.py", "@dataclass\nclass A:\n    def __call__(self, x): ...", 2),
    ("no_super_chains", "qsm/a.py", "class B(A):\n    def f(self):\n        return super().f()", 3),
    ("errors_have_codes", "qsm/a.py", "raise ValueError('no')", 1),
    ("errors_have_codes", "qsm/a.py", "try: ...\nexcept A:\n    raise RuntimeError", 3),
    ("public_objects_explain_themselves", "qsm/a.py", "x = 1", 1),
    ("public_objects_explain_themselves", "qsm/a.py", '"""Doc."""\ndef f(): ...', 2),
    ("public_objects_explain_themselves", "qsm/a.py", '"""Doc."""\nclass A:\n    """Two\n    lines."""', 2),
    ("public_objects_explain_themselves", "qsm/a.py", '"""Doc."""\nclass A:\n    """One."""\n    def f(self): ...', 4),
    ("no_path_of_a_machine", "qsm/a.py", f"x = 1\nopen('{SLASH}home{SLASH}ann{SLASH}x')", 2),
    ("no_registry_host", "qsm/a.py", "see https://" + "pypi" + ".org/simple", 1),
    ("nothing_left_undone", "qsm/a.py", "x = 1  # TO" + "DO later", 1),
]

GOOD = '''"""A method as the house likes it."""
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid


@dataclass(frozen=True)
class Method:
    """One line.

    Args:
        radius_mm: mm.
    """

    radius_mm: float = 1.0

    def __call__(self, x, *, mask=None):
        return _work(x, self.radius_mm, mask)


class Surprise(UsageError):
    """One line."""

    def __init__(self):
        super().__init__("GD-101", given="", allowed="", do="")


def _work(x, radius_mm, mask):
    if mask is None:
        raise UsageError("GD-101", given="", allowed="", do="")
    return x
'''


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_house_keeps_the_rule(name: str) -> None:
    sources = text_files() if name in OF_WORDS else package_sources()
    offences = [offence for source in sources for offence in RULES[name](source)]
    assert not offences, f"{RULES[name].__doc__}\n" + "\n".join(offences)


@pytest.mark.parametrize(("name", "path", "text", "line"), BAD, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(BAD)])
def test_a_rule_catches_what_it_is_for(name: str, path: str, text: str, line: int) -> None:
    offences = list(RULES[name](Source(f"src/gradatim/{path}", text)))
    assert len(offences) == 1
    assert offences[0].startswith(f"src/gradatim/{path}:{line}: ")


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_lets_good_code_pass(name: str) -> None:
    assert list(RULES[name](Source("src/gradatim/qsm/good.py", GOOD))) == []


def test_every_rule_has_an_example_of_what_it_catches() -> None:
    assert {name for name, *_ in BAD} == RULES.keys()
