"""How a drawing becomes the bytes of a picture: the same for the same data, silent about the machine."""

import io
import warnings
from typing import Any

from gradatim.report.content import Figure

CSS_PIXELS_PER_INCH = 100
_DENSITY = 1.5  # pixels of a PNG per CSS pixel, for dense screens


def png(figure: Any, caption: str, alt: str) -> Figure:
    """A drawing of images as PNG, without a creator's name or a date."""
    return Figure(caption, alt, "image/png", _encoded(figure, "png", ("Software",)), _width(figure))


def svg(figure: Any, caption: str, alt: str) -> Figure:
    """A drawing of lines as SVG whose text stays text, so that the reader's browser finds the letters."""
    data = _encoded(figure, "svg", ("Date", "Creator", "Type", "Format"))
    return Figure(caption, alt, "image/svg+xml", data, _width(figure))


def _encoded(figure: Any, kind: str, unsaid: tuple[str, ...]) -> bytes:
    from matplotlib import rc_context  # its absence was reported when the figure was made

    stream = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "gradatim"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(stream, format=kind, dpi=_DENSITY * CSS_PIXELS_PER_INCH, metadata=dict.fromkeys(unsaid))
    return stream.getvalue()


def _width(figure: Any) -> int:
    return round(figure.get_figwidth() * CSS_PIXELS_PER_INCH)
