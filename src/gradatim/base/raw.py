"""The noun between scanner and image: raw samples with where in k-space, and when, each was taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import InputError, UsageError


@dataclass(frozen=True, eq=False)
class RawData:
    """Samples of one or more coils, one readout after the other, s(k) = ∫ρ(r)·exp(−2πi k·r) dr.

    Args:
        samples: (coils, n), complex.
        position: k, (n, 3), 1/m, along the scanner's (or the image's) x, y, z. Where phases grow with the field, as
            gradatim has it, k = −γ̄∫G dt, so that images turn by +2πΔf·TE.
        times: (n,), s since the last excitation.
        readout: (n,), int64, which readout each sample belongs to, from 0, not decreasing.
        counters: name → (readouts,), int64, by Pulseq's names (``LIN``, ``PAR``, ``SLC``, ``ECO``, ``REV`` ...).
        matrix: voxels that the measurement was made for, x, y, z.
        extent: field of view, m, x, y, z.

    Raises:
        UsageError: GD-103 if the sizes disagree.

    Example:
        >>> import torch
        >>> raw = RawData(torch.ones(1, 4, dtype=torch.complex64), torch.zeros(4, 3), torch.arange(4.0),
        ...               torch.tensor([0, 0, 1, 1]), {"LIN": torch.tensor([0, 1])})
        >>> raw.lines(raw.samples).shape
        torch.Size([1, 2, 2])
    """

    samples: Tensor
    position: Tensor
    times: Tensor
    readout: Tensor
    counters: Mapping[str, Tensor] = field(default_factory=dict)
    matrix: tuple[int, int, int] | None = None
    extent: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        n = self.samples.shape[-1]
        fits = self.samples.ndim == 2 and self.position.shape == (n, 3) and len(self.times) == len(self.readout) == n
        if not fits or any(len(counter) != self.readouts for counter in self.counters.values()):
            raise UsageError(
                "GD-103",
                given=f"samples {tuple(self.samples.shape)} with positions {tuple(self.position.shape)}, "
                f"{len(self.times)} times and counters of {sorted({len(c) for c in self.counters.values()})} readouts",
                allowed="samples (coils, n), positions (n, 3), n times, and one count a readout",
                do="bring all to the same samples",
            )

    @property
    def readouts(self) -> int:
        """How many readouts there are."""
        return int(self.readout[-1]) + 1 if len(self.readout) else 0

    def lines(self, values: Tensor) -> Tensor:
        """Values of the samples as lines: (..., n) → (..., readouts, samples a readout).

        Args:
            values: (..., n), one for each sample.

        Raises:
            InputError: GD-802 if the readouts differ in length.
        """
        lengths = self.readout.bincount()
        if len(lengths.unique()) > 1:
            raise InputError(
                "GD-802",
                given=f"readouts of {int(lengths.min())} to {int(lengths.max())} samples",
                allowed="readouts of one length",
                do="choose the readouts of one kind first",
            )
        return values.unflatten(-1, (self.readouts, -1))
