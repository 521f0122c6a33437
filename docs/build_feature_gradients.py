"""Draws ``docs/pictures/feature-gradients.png`` with the lines that ``docs/feature-gradients.md`` shows."""

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "pictures" / "feature-gradients.png"


def page() -> dict[str, Any]:
    """The names that the page's first lines of Python define."""
    text = (DOCS / "feature-gradients.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block.group(1) if block else "", "feature-gradients.md", "exec"), names)  # noqa: S102 - our own page
    return names


def curve(axes: Any, over: torch.Tensor, value: Any, label: str, places: tuple[float, ...]) -> None:
    """A feature over a setting, with tangents from autograd."""
    with torch.no_grad():
        axes.plot(over, [float(value(at)) for at in over], color="0.3")
    for place in places:
        at = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        feature = value(at)
        (slope,) = torch.autograd.grad(feature, at)
        arm = float(over[-1] - over[0]) / 9
        ends = [place - arm, place + arm]
        axes.plot(ends, [float(feature.detach()) + float(slope) * (end - place) for end in ends], "C3", lw=2)
        axes.plot(place, float(feature.detach()), "C3o")
    axes.set_xlabel(label)
    axes.set_ylabel("GLCM contrast")


def main() -> None:
    """Draw it."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    it = page()
    scan, contrast = it["scan"], it["contrast"]
    image = scan(it["fwhm"], it["dose"]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(contrast(image), image)
    middle = gradient[:, :, gradient.shape[2] // 2]
    figure, (left, centre, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    most = float(middle.abs().max())
    shown = left.imshow(middle.T, cmap="RdBu_r", vmin=-most, vmax=most, origin="lower")
    figure.colorbar(shown, ax=left, label="d contrast / d voxel, 1/HU")
    left.set_axis_off()
    one = torch.tensor(1.0, dtype=torch.float64)
    widths, doses = (torch.linspace(*ends, 40, dtype=torch.float64) for ends in ((1.0, 4.0), (0.3, 3.0)))
    curve(centre, widths, lambda at: contrast(scan(at, one)), "FWHM of the blur, voxels", (1.4, 2.2, 3.4))
    curve(right, doses, lambda at: contrast(scan(it["fwhm"], at)), "dose", (0.5, 1.0, 2.2))
    figure.savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()
