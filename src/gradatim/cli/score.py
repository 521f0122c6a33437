"""gradatim score: how far a susceptibility map is from the truth."""

import json as jsonlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.choice import choose


@dataclass(frozen=True)
class Score:
    """Score a susceptibility map against the truth, by the measures of the QSM challenges.

    Measures that need labels are left out without them. Prints one measure a line.

    Attributes:
        map: the map, ppm.
        truth: the truth, ppm, on the same grid.
        mask: where to compare, 0 outside.
        labels: label image of tissues.
        head: whose labels they are: challenge (the second challenge's head) or phantom (that of gradatim demo).
        json: print one JSON object, for programs; a measure without a value is null.
    """

    map: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MAP")]
    truth: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TRUTH")]
    mask: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MASK")]
    labels: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="LABELS")] = None
    head: str = "challenge"
    json: bool = False

    def run(self) -> int:
        """Read, compare and print.

        Raises:
            UsageError: GD-102 for an unknown head.
            InputError: GD-311 if the images lie on different grids; what the readers refuse.
        """
        from gradatim.cli.scored_images import read_scored_images
        from gradatim.qsm.phantom import HEAD_SCORE
        from gradatim.qsm.score import ChallengeScore

        score = choose(self.head, {"challenge": ChallengeScore(), "phantom": HEAD_SCORE}, what="head")
        images = read_scored_images(self.map, self.truth, self.mask, self.labels)
        scores = asdict(score(images.map, truth=images.truth, mask=images.mask, labels=images.labels))
        known = {name: None if math.isnan(value) else value for name, value in scores.items()}
        if self.json:
            print(jsonlib.dumps(known, indent=2))
        else:
            print("\n".join(f"{name:<26}{value:.6g}" for name, value in known.items() if value is not None))
        return 0
