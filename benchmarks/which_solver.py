"""Which solver when: every method on one deblurring problem, to the same objective.

scikit-image's camera at 128², blurred (Gaussian, 2 pixels, periodic), with noise of 1 %. Three priors, one table each:
the squared slope (quadratic), the smoothed total variation (smooth, not quadratic), total variation (not smooth). Every
method is started from the blurred picture with its defaults: no step size, penalty or weight is tuned. A row gives the
iterations and the CPU seconds until F ≤ (1 + ε)F*, where F* is exact (first table) or the least of two long runs of
different methods, whose agreement is printed.

``python benchmarks/which_solver.py [size]`` prints the tables; one thread is used.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from skimage import data
from torch import Tensor

from gradatim.linop.convolution import Convolution
from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.fft import irfftn, rfftn
from gradatim.solve.adaptive import Adam, RmsProp
from gradatim.solve.admm import Admm
from gradatim.solve.descent import GradientDescent
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.fista import Fista
from gradatim.solve.lbfgs import Lbfgs
from gradatim.solve.momentum import HeavyBall, Nesterov
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.norms import GroupHuber, GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, StoppingRule, TimeBound

NOISE = 0.01
MOST = 2048
"""Iterations after which a method is said not to arrive."""
SECONDS = 60.0
"""Clock time after which it is said so as well."""
ACCURACIES = (1e-2, 1e-3, 1e-5)
SMOOTH = (GradientDescent, HeavyBall, Nesterov, RmsProp, Adam, Lbfgs)
SPLITTING = (Fista, Admm, Pdhg)


@dataclass(frozen=True)
class Reached(StoppingRule):
    """Stops at an objective."""

    level: float

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.ENERGY if history[-1].objective <= self.level else None


@dataclass(frozen=True)
class Row:
    """Iterations and CPU seconds to each accuracy; inf where it was not reached."""

    name: str
    iterations: tuple[float, ...]
    seconds: tuple[float, ...]


def smooth_row(method: type, problem: Problem, start: Tensor, levels: Sequence[float]) -> Row:
    """A method whose history has the objective: one run to the last level that it reaches."""
    rule = Reached(levels[-1]) | IterationBound(MOST) | TimeBound(SECONDS)
    began = time.process_time()
    found = method(rule=rule)(problem.value, start=start, gradient=problem.gradient)
    spent = time.process_time() - began
    objectives = [progress.objective for progress in found.history]
    firsts = [next((k for k, f in enumerate(objectives, 1) if f <= level), math.inf) for level in levels]
    return Row(method.__name__, tuple(firsts), tuple(spent * k / found.iterations for k in firsts))


def bisected_row(name: str, run: Callable[[int], Solution], problem: Problem, levels: Sequence[float]) -> Row:
    """A method whose history has no objective: the least number of iterations that reaches each level."""
    known: dict[int, tuple[float, float]] = {}

    def objective(count: int) -> float:
        if count not in known:
            began = time.process_time()
            value = run(count).value
            known[count] = (float(problem.value(value)), time.process_time() - began)
        return known[count][0]

    iterations: list[float] = []
    for level in levels:
        high = 1
        while high <= MOST and objective(high) > level:
            high *= 2
        low = high // 2
        while high <= MOST and high - low > max(1, low // 50):
            middle = (low + high) // 2
            low, high = (low, middle) if objective(middle) <= level else (middle, high)
        iterations.append(high if high <= MOST else math.inf)
    seconds = [known[int(k)][1] if math.isfinite(k) else math.inf for k in iterations]
    return Row(name, tuple(iterations), tuple(seconds))


def scene(size: int) -> tuple[Convolution, Tensor, Tensor]:
    """The blur, the picture, and what was measured."""
    step = 512 // size
    truth = torch.from_numpy(data.camera()[::step, ::step].copy()).double() / 255
    line = torch.arange(-8.0, 9.0, dtype=torch.float64)
    bell = torch.exp(-0.5 * (line / 2.0).square())
    blur = Convolution(torch.outer(bell, bell) / bell.sum() ** 2, (size, size))
    noise = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return blur, truth, blur.apply(truth) + NOISE * noise


def problems(blur: Convolution, measured: Tensor) -> dict[str, Problem]:
    """One data term, three priors."""
    slope = PeriodicGradient(tuple(measured.shape), (1.0, 1.0))
    fit = Term(SquaredDistance(measured, NOISE**-2), blur)
    flat = torch.zeros_like(slope.apply(measured))
    return {
        "½λ‖∇x‖²": Problem((fit, Term(SquaredDistance(flat), slope, 60.0))),
        "smoothed total variation, δ = 0.01": Problem((fit, Term(GroupHuber(0.01, axis=-3), slope, 8.0))),
        "total variation": Problem((fit, Term(GroupL1(axis=-3), slope, 8.0))),
    }


def exact(blur: Convolution, measured: Tensor, problem: Problem) -> Tensor:
    """The minimum of the quadratic problem, one division in Fourier space."""
    slope, weight = PeriodicGradient(tuple(measured.shape), (1.0, 1.0)), problem.terms[1].weight
    spectrum = rfftn(blur.adjoint(measured) * NOISE**-2, ndim=2)
    gram = blur.gram_symbol(measured) * NOISE**-2 + weight * slope.gram_symbol(measured)
    return irfftn(spectrum / gram, tuple(measured.shape))


def psnr(picture: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio, dB."""
    return -10.0 * math.log10(float((picture - truth).square().mean()))


def certified(problem: Problem, start: Tensor) -> tuple[Tensor, float]:
    """The better end of two long runs, and by how much the other one's is F is higher, relatively."""
    runs = [
        Pdhg(rule=IterationBound(4 * MOST))(problem, start=start),
        Admm(rule=IterationBound(MOST))(problem, start=start),
    ]
    values = sorted((float(problem.value(run.value)), i) for i, run in enumerate(runs))
    (least, best), (other, _) = values
    return runs[best].value, (other - least) / least


def table(title: str, problem: Problem, least: float, rows: Sequence[Row]) -> str:
    """One table in Markdown."""
    heads = [f"to {100 * accuracy:g} %" for accuracy in ACCURACIES]
    cells = [
        [
            row.name,
            *(
                "never" if math.isinf(k) else f"{int(k)} ({s:.2f} s)"
                for k, s in zip(row.iterations, row.seconds, strict=True)
            ),
        ]
        for row in rows
    ]
    lines = [["method", *heads], ["---"] * (len(heads) + 1), *cells]
    return f"{title}: F* = {least:.6g}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main(size: int) -> None:
    """Print the three tables."""
    torch.set_num_threads(1)
    blur, truth, measured = scene(size)
    for title, problem in problems(blur, measured).items():
        quadratic = title.startswith("½")
        best, apart = (exact(blur, measured, problem), 0.0) if quadratic else certified(problem, measured)
        least = float(problem.value(best))
        print(f"PSNR {psnr(measured, truth):.2f} → {psnr(best, truth):.2f} dB; two methods agree on F* to {apart:.0e}")
        levels = [(1.0 + accuracy) * least for accuracy in ACCURACIES]
        rows = [smooth_row(method, problem, measured, levels) for method in SMOOTH]
        solvers: list[type] = [NormalEquations] if quadratic else []
        for method in (*solvers, *SPLITTING):
            if method is Fista and title == "total variation":
                continue  # its prox would be a problem of its own

            def run(count: int, method: type = method, problem: Problem = problem) -> Solution:
                return method(rule=IterationBound(count))(problem, start=measured)

            rows.append(bisected_row(method.__name__, run, problem, levels))
        print(table(title, problem, least, rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128)
