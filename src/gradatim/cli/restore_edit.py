"""gradatim restore edit: a part of one image put into another without a seam."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.choice import choose
from gradatim.base.errors import InputError

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class Edit:
    """Put a part of one image into another without a seam: its gradients inside a region, the target's values around.

    Attributes:
        target: the image to change: PNG, JPEG, TIFF or NIfTI.
        source: the image to take gradients from, of the same size and kind; it stands where it stands in the file.
        region: an image of the same size, not 0 where the source shall stand.
        out: the file to write, of the kind of the target.
        method: seamless (the source's gradients) or mixed (of both, the larger at each step between pixels).
        json: print one JSON object, for programs.
    """

    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TARGET")]
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    region: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="REGION")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    method: str = "seamless"
    json: bool = False

    def run(self) -> int:
        """Edit and write."""
        from gradatim.cli.restored_files import restore_file

        return restore_file(self.target, self.out, self._edited, what="editing", as_json=self.json)

    def _edited(self, target: "AnyImage") -> "Restored":
        from gradatim.cli.restore_region import read_region
        from gradatim.io.any_image import read_any
        from gradatim.restore.edit import MixedEdit, SeamlessEdit

        methods: dict[str, type[SeamlessEdit] | type[MixedEdit]] = {"seamless": SeamlessEdit, "mixed": MixedEdit}
        method = choose(self.method, methods, what="method")
        source = read_any(self.source)
        if source.data.shape != target.data.shape:
            raise InputError(
                "GD-311",
                given=f"a source of {tuple(source.data.shape)}, the target of {tuple(target.data.shape)}",
                allowed="a source of the target's size and colours",
                do="place it on a canvas of that size",
            )
        return method(target.spacing)(target.data, source=source.data, region=read_region(self.region, target))
