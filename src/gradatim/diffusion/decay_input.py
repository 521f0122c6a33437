"""Signal over diffusion weighting as the fits need it, and what cannot be fitted."""

from torch import Tensor

from gradatim.base.errors import InputError, UsageError


def decays(signal: Tensor, b: Tensor, mask: Tensor | None, *, parameters: int) -> tuple[Tensor, Tensor, Tensor]:
    """The mask, the signals inside it and the weightings, in float64.

    Args:
        signal: (n, ...), any voxel shape.
        b: (n,), s/m², or any other weighting ≥ 0.
        mask: (...), bool; None takes every voxel with a finite signal that is somewhere above 0.
        parameters: how many the fit has; so many different weightings are needed at least, and one more value.

    Returns:
        Mask (...), signals (voxel, n), weightings (n,).

    Raises:
        UsageError: GD-103 if sizes disagree.
        InputError: GD-840 with too few weightings; GD-841 if one is negative or not finite; GD-601 if the mask is
            empty; GD-603 if a signal inside it is not finite; GD-843 if no voxel has signal.
    """
    if b.ndim != 1 or len(signal) != len(b) or (mask is not None and mask.shape != signal.shape[1:]):
        raise UsageError(
            "GD-103",
            given=f"signal {tuple(signal.shape)}, weightings {tuple(b.shape)}"
            + ("" if mask is None else f", mask {tuple(mask.shape)}"),
            allowed="signal (n, ...), weightings (n,), mask (...)",
            do="give one weighting a measurement",
        )
    if not bool(b.isfinite().all()) or bool((b < 0).any()):
        raise InputError(
            "GD-841",
            given="a diffusion weighting that is negative or not finite",
            allowed="b ≥ 0 in s/m²",
            do="check the list of b-values",
        )
    different = len(b.double().unique())
    if different < parameters or len(b) <= parameters:
        raise InputError(
            "GD-840",
            given=f"{len(b)} measurements with {different} different weightings",
            allowed=f"at least {parameters + 1} measurements and {parameters} different weightings",
            do="choose a model with fewer parameters, or measure more weightings",
        )
    return _inside(signal, mask), *_values(signal, b, _inside(signal, mask))


def _inside(signal: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        inside = (signal.isfinite().all(0) & (signal > 0).any(0)).detach()
        if not bool(inside.any()):
            raise InputError(
                "GD-843", given="a series without signal", allowed="values above 0", do="check what was read"
            )
        return inside
    if not bool(mask.any()):
        raise InputError("GD-601", given="an empty mask", allowed="at least one voxel", do="give another mask")
    return mask


def _values(signal: Tensor, b: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    values = signal[:, inside].T.double()
    if not bool(values.isfinite().all()):
        raise InputError(
            "GD-603",
            given="a signal inside the mask that is not finite",
            allowed="finite values",
            do="repair the images or take these voxels out of the mask",
        )
    return values, b.double()
