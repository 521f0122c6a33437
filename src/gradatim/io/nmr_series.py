"""Processed pseudo-2D series of a Bruker spectrometer, read by nmrglue (extra ``nmr``)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.optional import nmrglue
from gradatim.io.nmr_lists import GradientUnit, read_gradient_list


@dataclass(frozen=True, eq=False)
class NmrSeries:
    """Spectra under rising gradients.

    Args:
        spectra: (n, points), real, in the data's own unit.
        shift: (points,), chemical shift, ppm, falling.
        gradient: (n,), T/m.

    Raises:
        InputError: GD-257 if the three differ in number.

    Example:
        >>> series = NmrSeries(torch.ones(2, 3), torch.tensor([3.0, 2.0, 1.0]), torch.tensor([0.1, 0.2]))
        >>> series.integrals(low=1.5, high=3.5).tolist()
        [2.0, 2.0]
    """

    spectra: Tensor
    shift: Tensor
    gradient: Tensor

    def __post_init__(self) -> None:
        if tuple(self.spectra.shape) != (len(self.gradient), len(self.shift)):
            raise InputError(
                "GD-257",
                given=f"spectra {tuple(self.spectra.shape)}, {len(self.gradient)} gradients, {len(self.shift)} shifts",
                allowed="one row a gradient and one column a shift",
                do="give the list with which the series was measured",
            )

    def integrals(self, *, low: float, high: float) -> Tensor:
        """Sum of each spectrum over a band of shifts, (n,).

        Args:
            low: lower end, ppm.
            high: upper end, ppm.

        Raises:
            InputError: GD-257 if no point lies between.
        """
        inside = (self.shift >= low) & (self.shift <= high)
        if not bool(inside.any()):
            raise InputError(
                "GD-257",
                given=f"no point between {low:g} and {high:g} ppm",
                allowed=f"a band within {float(self.shift.min()):.3g} to {float(self.shift.max()):.3g} ppm",
                do="choose a band around a line",
            )
        return self.spectra[:, inside].sum(1)


def read_bruker_series(processed: Path, *, difflist: Path | None = None) -> NmrSeries:
    """Read a processed pseudo-2D diffusion experiment, e.g. ``17/pdata/1``, with its ``difflist`` in G/cm.

    Spectra come from ``2rr`` and are scaled by NC_proc; shifts from OFFSET, SF and SW_p of ``procs``. Rows that TopSpin
    added by zero filling beyond the list are left out. Proven on data sets that nmrglue wrote, not on a spectrometer's
    own.

    Args:
        processed: the folder with ``2rr`` and ``procs``.
        difflist: gradients, G/cm, one a line; by default ``difflist`` of the experiment, two folders above.

    Raises:
        ResourceError: GD-501 if nmrglue is missing.
        InputError: GD-257 if there is no processed 2-D data, or fewer rows than gradients; GD-222 and GD-256 for the
            list.
    """
    reader = nmrglue().bruker
    try:
        parameters, data = reader.read_pdata(str(processed))
        said = parameters["procs"]
        offset, width, frequency = (float(said[key]) for key in ("OFFSET", "SW_p", "SF"))
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError(
            "GD-257",
            given=f"{processed.name}: {type(error).__name__} {error}",
            allowed="a folder of processed data (pdata/1) with 2rr, procs and proc2s",
            do="process the series (xf2) and give its folder",
        ) from error
    gradient = read_gradient_list(difflist or processed.parent.parent / "difflist", unit=GradientUnit.GAUSS_PER_CM)
    if (
        data.ndim != 2
        or len(data) < len(gradient)
        or not np.isfinite([offset, width, frequency]).all()
        or frequency <= 0
    ):
        raise InputError(
            "GD-257",
            given=f"{processed.name} with data of shape {data.shape} for {len(gradient)} gradients",
            allowed="two dimensions, a row a gradient",
            do="give the list with which the series was measured",
        )
    points = data.shape[1]
    shift = offset - torch.arange(points, dtype=torch.float64) * (width / frequency / points)
    rows = torch.from_numpy(np.array(data[: len(gradient)], dtype=np.float64))
    return NmrSeries(rows, shift, gradient)
