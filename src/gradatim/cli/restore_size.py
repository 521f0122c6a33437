"""What would be too large, refused before any work."""

import math
from typing import TYPE_CHECKING

from gradatim.base.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage


def require_blur_within(image: "AnyImage", extent: float, *, what: str) -> None:
    """Refuse a blur that reaches further than the longest axis of the image.

    Args:
        image: what is blurred.
        extent: from one end of the blur to the other, pixels.
        what: the blur, in words.

    Raises:
        UsageError: GD-101.
    """
    longest = max(image.shape)
    if extent > longest:
        raise UsageError(
            "GD-101",
            given=f"{what}, {extent:.4g} pixels from end to end",
            allowed=f"a blur no larger than the image, {longest} pixels",
            do="give it in pixels of this image",
        )


def require_finer_fits(image: "AnyImage", factors: tuple[int, ...]) -> None:
    """Refuse a finer image that is larger than the budget of one image.

    Args:
        image: the coarse one.
        factors: fine pixels a coarse one, one an axis.

    Raises:
        ResourceError: GD-505.
    """
    from gradatim.io.memory import default_budget_bytes

    needed, budget = image.data.nbytes * math.prod(factors), default_budget_bytes()
    if needed > budget:
        raise ResourceError(
            "GD-505",
            given=f"the finer image would hold {needed} bytes",
            allowed=f"up to {budget} bytes",
            do="choose a smaller --factor, crop the image, or free memory",
        )
