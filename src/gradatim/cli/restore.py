"""gradatim restore: images made better, each way a sub-command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Union

import tyro

from gradatim.cli.restore_deblur import Deblur
from gradatim.cli.restore_deconvolve import Deconvolve
from gradatim.cli.restore_denoise import Denoise
from gradatim.cli.restore_edit import Edit
from gradatim.cli.restore_inpaint import Inpaint
from gradatim.cli.restore_mri import Mri
from gradatim.cli.restore_sharpen import Sharpen
from gradatim.cli.restore_superres import SuperRes


class Step(Protocol):
    """What every sub-command is: parameters, and something to do with them."""

    def run(self) -> int:
        """Do the work; the exit code."""
        ...


SUBCOMMANDS: dict[str, Callable[..., Step]] = {
    "denoise": Denoise,
    "inpaint": Inpaint,
    "deblur": Deblur,
    "deconvolve": Deconvolve,
    "sharpen": Sharpen,
    "superres": SuperRes,
    "edit": Edit,
    "mri": Mri,
}
"""Word after ``gradatim restore`` → sub-command. Their modules import nothing heavy before ``run``."""

_CHOICE: Any = Union[  # noqa: UP007 - built from the table
    tuple(Annotated[step, tyro.conf.subcommand(word, prefix_name=False)] for word, step in SUBCOMMANDS.items())
]


@dataclass(frozen=True)
class Restore:
    """Denoise, fill in, deblur, sharpen, enlarge or edit an image: PNG, JPEG, TIFF or NIfTI.

    `gradatim restore denoise --help` shows what one of them takes.

    Attributes:
        step: what to do.
    """

    step: Annotated[_CHOICE, tyro.conf.arg(name="")]

    def run(self) -> int:
        """Do it; the exit code."""
        return self.step.run()
