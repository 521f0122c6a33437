"""Transposed convolution by its phases beside torch's own: ratio of CPU times and largest difference.

Input: Gaussian noise, float32, one thread, each form in turn, the shortest of several rounds. Three forms: phases only,
the form that gradatim takes by itself, and ``torch.nn.functional.conv_transpose``. The last table gives the wavelet
transform, which is made of the same kind of small products, beside PyWavelets where that is installed.
"""

import importlib.util
import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from gradatim.linop.polyphase import convolve_by_phases
from gradatim.linop.transposed import convolve_transposed
from gradatim.linop.wavelet import Wavelet
from gradatim.linop.wavelet_filter import daubechies

COMMAND = "`python benchmarks/transposed.py`"
ROUNDS = 7
TORCH = {2: torch.nn.functional.conv_transpose2d, 3: torch.nn.functional.conv_transpose3d}
CASES = (
    (2, 1, 1, 512, 4, 2, 1),
    (2, 16, 8, 128, 4, 2, 1),
    (2, 64, 32, 64, 4, 2, 1),
    (2, 64, 32, 64, 2, 2, 0),
    (2, 64, 32, 64, 3, 2, 1),
    (2, 16, 8, 64, 6, 3, 1),
    (2, 32, 16, 32, 16, 8, 4),
    (3, 1, 1, 64, 4, 2, 1),
    (3, 1, 1, 64, 3, 2, 1),
    (3, 16, 8, 24, 4, 2, 1),
    (3, 32, 16, 16, 2, 2, 0),
    (3, 32, 16, 16, 3, 2, 1),
)
"""Axes, channels in and out, size, kernel, stride, padding."""


def race(runners: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The shortest CPU time of each, one after the other so that the machine's noise is shared."""
    times = dict.fromkeys(runners, math.inf)
    for turn in range(ROUNDS + 1):
        for name, run in runners.items():
            start = time.process_time()
            run()
            if turn:
                times[name] = min(times[name], time.process_time() - start)
    return times


def compare(axes: int, inner: int, outer: int, n: int, k: int, s: int, p: int) -> None:
    """One row."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2, inner, *(n,) * axes), generator=generator)
    w = torch.randn((inner, outer, *(k,) * axes), generator=generator)
    theirs = TORCH[axes]

    def difference(found: Tensor) -> float:
        wanted = theirs(x, w, stride=s, padding=p)
        return float((found - wanted).abs().max() / wanted.abs().max())

    times = race(
        {
            "phases": lambda: convolve_by_phases(x, w, stride=s, padding=p),
            "chosen": lambda: convolve_transposed(x, w, stride=s, padding=p),
            "torch": lambda: theirs(x, w, stride=s, padding=p),
        }
    )
    largest = max(difference(f(x, w, stride=s, padding=p)) for f in (convolve_by_phases, convolve_transposed))
    size = "×".join([str(n)] * axes)
    print(
        f"| transposed convolution | {size}, {inner} → {outer} channels, k {k}, s {s}, p {p} | CPU time, ratio; "
        f"largest difference | {times['phases'] / times['torch']:.2f} (phases), "
        f"{times['chosen'] / times['torch']:.2f} (taken); {largest:.0e} | 1 (torch {torch.__version__}, "
        f"{1e3 * times['torch']:.1f} ms) | {COMMAND} |",
        flush=True,
    )


def wavelets() -> None:
    """Rows for a plane and a volume."""
    import pywt

    for shape, levels in (((512, 512), 4), ((128, 128, 128), 3)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        transform, volume = Wavelet(shape, levels, daubechies(4)), x.numpy()
        times = race(
            {
                "ours": lambda transform=transform, x=x: transform.apply(x),
                "peer": lambda volume=volume, levels=levels: pywt.wavedecn(volume, "db4", "periodization", levels),
            }
        )
        print(
            f"| wavelet transform | {'×'.join(map(str, shape))}, db4, {levels} levels | CPU time, ratio | "
            f"{times['ours'] / times['peer']:.2f} | 1 (PyWavelets {pywt.__version__}, {1e3 * times['peer']:.1f} ms) "
            f"| {COMMAND} |",
            flush=True,
        )


def main() -> None:
    torch.set_num_threads(1)
    with torch.no_grad():
        for case in CASES:
            compare(*case)
        if importlib.util.find_spec("pywt"):
            wavelets()


if __name__ == "__main__":
    main()
