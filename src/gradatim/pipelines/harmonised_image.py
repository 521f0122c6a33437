"""One image brought to the resolution and the noise of another scanner, with the record that says how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import write_sidecar
from gradatim.io.volume import volume_name
from gradatim.io.volume_nouns import Volume
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, fingerprint
from gradatim.pipelines.provenance import software
from gradatim.radiomics.harmonise import ImageQuality, MatchResolution, common_quality
from gradatim.radiomics.robustness.perturbation import stream


@dataclass(frozen=True, eq=False)
class HarmonisedImage:
    """An image at the quality of a target.

    Args:
        image: the map.
        inputs: role and SHA-256 of what was read.
        seed: of the noise that was added; it is combined with the image's content, so that no two images share noise.
    """

    image: QuantitativeMap
    inputs: tuple[InputFile, ...]
    seed: int

    @classmethod
    def of(
        cls,
        volume: Volume,
        *,
        source: ImageQuality,
        targets: Sequence[ImageQuality],
        seed: int,
        files: Mapping[str, Path],
    ) -> "HarmonisedImage":
        """Filter an image and add the noise that is missing.

        Args:
            volume: the image; where it is not finite it becomes 0.
            source: quality of its scanner.
            targets: the quality wanted; of several, the best that all of them and the source can be brought to.
            seed: of the noise.
            files: role → path of everything that was read.

        Raises:
            UsageError: GD-104 without a target; GD-141 for one that is sharper than the source, GD-142 for one that is
                less noisy than the filtered source.
            InputError: GD-225 if a file changed meanwhile.
        """
        if not targets:
            raise UsageError("GD-104", given="no target", allowed="one or more scanners", do="say which quality")
        inputs = fingerprint(files)
        known = torch.isfinite(volume.data)
        image = QuantitativeMap(torch.where(known, volume.data, 0), known, volume.grid, "image", volume.unit)
        target = targets[0] if len(targets) == 1 else common_quality((source, *targets))
        matched = MatchResolution(source, target, stream(seed, image.value))(image)
        check_unchanged(inputs)
        return cls(matched, inputs, seed)

    def write(self, out: Path, said: Mapping[str, Any]) -> None:
        """The image as NIfTI, and beside it a JSON sidecar with units, versions, hashes and what was asked for.

        Args:
            out: ends in ``.nii`` or ``.nii.gz``; its folder must exist.
            said: more for the sidecar, plain data.

        Raises:
            UsageError: GD-101 for another ending.
            ResourceError: GD-502 to GD-504 if a file cannot be written.
        """
        write_nifti(out, self.image.value, self.image.grid)
        units = {"Units": self.image.unit} if self.image.unit else {}
        inputs = {each.name: each.sha256 for each in self.inputs}
        record = {**units, **said, "Seed": self.seed, "Inputs": inputs, "Software": software()}
        write_sidecar(out.with_name(f"{volume_name(out)}.json"), record)
