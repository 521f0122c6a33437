"""Sentences that say why a limit is where it is."""

from collections.abc import Mapping

from gradatim.scanner.system import System


def gains(what: str, elasticity: Mapping[str, float], system: System, *, enough: float) -> str:
    """Which of amplitude and slew rate binds a lobe, and what one per cent more of each would give.

    Args:
        what: the subject of the sentence.
        elasticity: per cent of the duration for one per cent of ``max_gradient`` and ``max_slew``.
        system: the limits.
        enough: the gradient above which more of it gives nothing, T/m.

    Example:
        >>> said = gains("it", {"max_gradient": 0.0, "max_slew": -0.5}, System(0.080, 200.0), enough=0.0523)
        >>> said.split("; ")[0]
        'slew-bound: it peaks at 52.3 of 80 mT/m, so that more gradient gives nothing'
    """
    peak = f"{1e3 * enough:.1f}"
    slew = f"1 % more slew rate saves {-elasticity['max_slew']:.2f} %"
    if enough <= system.max_gradient:
        return (
            f"slew-bound: {what} peaks at {peak} of {1e3 * system.max_gradient:g} mT/m, so that more gradient gives "
            f"nothing; {slew}"
        )
    return (
        f"amplitude-bound: {what} stands at {1e3 * system.max_gradient:g} mT/m; 1 % more gradient saves "
        f"{-elasticity['max_gradient']:.2f} %, up to {peak} mT/m, and {slew}"
    )
