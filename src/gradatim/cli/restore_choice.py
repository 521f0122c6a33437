"""From words on the command line to what an image is taken to be."""

from typing import TYPE_CHECKING

from gradatim.base.choice import choose

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.prior import Prior
    from gradatim.solve.denoiser import Denoise


def local_cosines(image: "AnyImage") -> "Denoise":
    """The denoiser of local cosines for an image, across the colours of a picture."""
    from gradatim.restore.denoise import AcrossChannels
    from gradatim.restore.local_cosine import LocalCosine

    axes = len(image.spacing)
    plain = LocalCosine(axes)
    return AcrossChannels(plain, axes) if colour(image) else plain


def colour(image: "AnyImage") -> bool:
    """Whether the image is a picture in red, green and blue."""
    return image.family == "picture" and image.data.ndim == 3


def chosen_prior(word: str, image: "AnyImage", *, weight: float | None) -> "Prior":
    """The prior that a word stands for.

    Args:
        word: ``cosine`` or ``tv``.
        image: for its axes and colours.
        weight: λ of total variation, None to choose it.

    Raises:
        UsageError: GD-102 for another word; GD-104 for a λ that has nothing to weigh.
    """
    from gradatim.base.errors import UsageError
    from gradatim.restore.plug_and_play import PlugAndPlay
    from gradatim.restore.prior import VariationPrior

    made = choose(
        word,
        {
            "cosine": lambda: PlugAndPlay(local_cosines(image)),
            "tv": lambda: VariationPrior(weight),
        },
        what="method",
    )
    if weight is not None and word != "tv":
        raise UsageError(
            "GD-104", given=f"a λ with the method {word}", allowed="λ with --method tv", do="leave one of them out"
        )
    return made()
