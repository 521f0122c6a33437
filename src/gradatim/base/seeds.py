"""One way to ask for randomness: the argument ``seed``, an integer or a torch.Generator."""

import torch


def generator(seed: int | torch.Generator, device: torch.device | str = "cpu") -> torch.Generator:
    """The random generator that a seed stands for.

    Args:
        seed: an integer, or a generator that is used as it is.
        device: where an integer seed's generator lives.

    Returns:
        A ``torch.Generator``; the same integer gives the same stream on the same device.

    Example:
        >>> a = torch.rand(2, generator=generator(7)); b = torch.rand(2, generator=generator(7))
        >>> bool((a == b).all())
        True
    """
    if isinstance(seed, torch.Generator):
        return seed
    return torch.Generator(device=device).manual_seed(seed)
