"""One scan from its files to everything that is known about it, ready to be written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from gradatim.base.nouns import MultiEcho
from gradatim.io.echo_series import EchoSeries
from gradatim.io.multiecho import EchoReader, LoadedEchoes
from gradatim.pipelines.fingerprint import InputFile
from gradatim.pipelines.given_images import NOTHING, GivenImages
from gradatim.pipelines.methods_text import MethodsText, methods_text
from gradatim.pipelines.progress import Listener, announce
from gradatim.pipelines.provenance import provenance
from gradatim.pipelines.susceptibility import SusceptibilityResult, SusceptibilityRoute


@dataclass(frozen=True, eq=False)
class CompletedScan:
    """A scan that went all the way.

    Args:
        name: the case, e.g. ``sub-01_run-2``.
        loaded: how it was read.
        result: what the chain made of it.
        route: the methods that ran.
        methods: what was done, in sentences.
        provenance: what made it, as plain data.
    """

    name: str
    loaded: LoadedEchoes
    result: SusceptibilityResult
    route: SusceptibilityRoute
    methods: MethodsText
    provenance: dict[str, Any]


@dataclass(frozen=True)
class ScanRun:
    """Reads a scan and takes it through the chain.

    Args:
        route: the chain's methods.
        reader: how its files are read.

    Raises:
        GradatimError: what the reader and the methods refuse.
    """

    route: SusceptibilityRoute = field(default_factory=SusceptibilityRoute)
    reader: EchoReader = field(default_factory=EchoReader)

    def __call__(
        self,
        series: EchoSeries,
        *,
        inputs: Sequence[InputFile],
        given: GivenImages = NOTHING,
        case: str = "",
        progress: Listener = announce,
    ) -> CompletedScan:
        """Take one scan through.

        Args:
            series: its files.
            inputs: the same files with their hashes, for the record.
            given: what the user gives instead of letting the chain find it.
            case: how tables and report call it.
            progress: told each stage.
        """
        progress("reading", 0.0)
        loaded = self.reader(series)
        mask, regions = given.read(loaded.signal.grid)
        route = given.route(self.route, regions)
        result = route(loaded.signal, mask=mask, regions=regions, case=case, progress=progress)
        record = provenance(loaded, result, route, inputs)
        text = methods_text(route, opening=_opening(loaded.signal), unused=given.replaced)
        return CompletedScan(case, loaded, result, route, text, record)


def _opening(signal: MultiEcho) -> str:
    times = ", ".join(f"{1000.0 * time:.4g}" for time in signal.echo_times)
    edges = " × ".join(f"{edge:.3g}" for edge in signal.grid.spacing)
    return (
        f"Gradient-echo magnitude and phase at {signal.field_strength:.4g} T, echo times {times} ms, "
        f"voxels of {edges} mm, were processed with gradatim {version('gradatim')}."
    )
