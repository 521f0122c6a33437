"""The spoiled gradient echo with one echo."""

from dataclasses import dataclass

from gradatim.base.sequence import Sequence
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.multi_echo_gre import ERNST, MultiEchoGradientEcho, ShortestEchoes
from gradatim.scanner.sequences.spoiling import Spoiling
from gradatim.scanner.system import System


@dataclass(frozen=True)
class GradientEcho:
    """Excitation and one echo at an exact time, line after line and partition after partition, spoiled (FLASH).

    As :class:`~gradatim.scanner.sequences.multi_echo_gre.MultiEchoGradientEcho` with one echo. Source: Haase, Frahm,
    Matthaei, Hänicke and Merboldt 1986, Journal of Magnetic Resonance 67:258.

    Args:
        encoding: field of view, matrix and dwell time.
        excitation: a slice, a slab, or a hard pulse on everything.
        echo_time: s, from the excitation's centre to the sample on k = 0; None for the shortest.
        repetition_time: s, of one excitation; None for the shortest.
        spoiling: of RF and gradients, and the dummies.
        slices: centres along z, m, relative to the excitation's position, measured one after the other.

    Raises:
        UsageError: GD-168 for an impossible protocol; when called, GD-166 if a gradient or a time is beyond the
            hardware, with the shortest possible; GD-167 if the pulse is too strong.

    Example:
        >>> protocol = GradientEcho(CartesianEncoding(matrix=(64, 8, 1)), echo_time=5e-3, repetition_time=0.02)
        >>> sequence = protocol(System())
        >>> sequence.duration / 1e9, len(sequence.readouts)
        (0.36, 8)
    """

    encoding: CartesianEncoding = CartesianEncoding()
    excitation: SliceSelective | NonSelective = SliceSelective(SincPulse(ERNST, 2e-3), 0.005)
    echo_time: float | None = None
    repetition_time: float | None = None
    spoiling: Spoiling = Spoiling()
    slices: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        self._train()

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        return self._train()(system)

    def _train(self) -> MultiEchoGradientEcho:
        echoes = ShortestEchoes(1) if self.echo_time is None else (self.echo_time,)
        return MultiEchoGradientEcho(
            self.encoding,
            self.excitation,
            echoes,
            self.repetition_time,
            spoiling=self.spoiling,
            slices=self.slices,
        )
