"""Features under perturbations, and how reliable each feature is across a cohort."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.described import described
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.robustness.icc import IntraclassCorrelation, TwoWayRandom
from gradatim.radiomics.robustness.perturbation import Chain

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Repetition:
    """One feature of one region under one chain of perturbations; a row of the table.

    Args:
        chain: the chain in words, e.g. ``"Rotate(angle=5.0) + AddNoise(seed=1)"``; ``"unperturbed"`` for the
            empty one.
        feature: the feature as the extraction gave it.
    """

    chain: str
    feature: Feature


@dataclass(frozen=True)
class FeatureReliability:
    """How reliable a feature is; a row of the table.

    Args:
        region: name of the region.
        family: family of the feature.
        feature: name of the feature.
        ibsi_code: its IBSI code.
        aggregation: IBSI code of its aggregation, empty where none.
        kind: which coefficient, e.g. ``"ICC(2,1)"``.
        estimate: the coefficient; NaN if undefined.
        low: lower end of its interval.
        high: upper end of its interval.
        subjects: how many subjects it rests on.
        perturbations: how many measurements of each.
        reason: why it is NaN.
    """

    region: str
    family: str
    feature: str
    ibsi_code: str
    aggregation: str
    kind: str
    estimate: float
    low: float
    high: float
    subjects: int
    perturbations: int
    reason: str


@dataclass(frozen=True)
class Robustness:
    """Measure every region of an image again and again, each time after another chain of perturbations.

    The perturbations of a chain are applied in their order to the image and its regions, before the extraction's own
    preparation. Give the empty chain ``()`` to have the unperturbed image among them. Where regions are measured on
    a chain that leaves them without a voxel, features are undefined, with the reason. Source: Zwanenburg et al.,
    Sci Rep 9:614 (2019).

    Args:
        extraction: what is measured.
        chains: two or more chains, no two alike; :func:`~gradatim.radiomics.robustness.perturbation.every_chain`
            combines choices.

    Raises:
        UsageError: GD-147 if two chains are alike.

    Example:
        >>> import torch
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> from gradatim.radiomics.preparation import Preparation
        >>> from gradatim.radiomics.robustness.noise import AddNoise
        >>> from gradatim.radiomics.statistics import Statistics
        >>> grid = Grid((6, 6, 4), (1.0, 1.0, 2.0))
        >>> ct = QuantitativeMap(torch.arange(144.0).view(6, 6, 4), torch.ones(6, 6, 4).bool(), grid, "CT", "HU")
        >>> extraction = Extraction(Preparation(FixedBinNumber(8)), families=(Statistics(),))
        >>> study = Robustness(extraction, chains=((), (AddNoise(seed=1, sigma=1.0),)))
        >>> rows = study(ct, Regions(ct.mask.int(), grid), case="1")
        >>> sorted({row.chain for row in rows})
        ['AddNoise(seed=1, sigma=1.0)', 'unperturbed']
    """

    extraction: Extraction
    chains: tuple[Chain, ...]

    def __post_init__(self) -> None:
        names = [chain_name(chain) for chain in self.chains]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not names:
            raise UsageError(
                "GD-147",
                given=f"the chain {twice[0]} twice" if twice else "no chain of perturbations",
                allowed="one or more chains, no two alike",
                do="give each another seed, or leave one out",
            )

    def __call__(
        self,
        image: QuantitativeMap,
        regions: Regions,
        *,
        case: str = "",
        name: str = "",
        progress: Callable[[str], None] | None = None,
    ) -> tuple[Repetition, ...]:
        """Measure one subject.

        Args:
            image: the map.
            regions: on the same grid.
            case: whose image; subjects of a cohort are told apart by it.
            name: which image, for the table.
            progress: called with each chain's name once it is measured.

        Raises:
            UsageError: GD-103 if map and regions lie on different grids; as the perturbations.
        """
        rows: list[Repetition] = []
        for chain in self.chains:
            moved, redrawn = image, regions
            for perturbation in chain:
                moved, redrawn = perturbation(moved, redrawn)
            found = self.extraction(moved, redrawn, case=case, image=name)
            rows += [Repetition(chain_name(chain), feature) for feature in found]
            if progress is not None:
                progress(chain_name(chain))
        return tuple(rows)


def chain_name(chain: Chain) -> str:
    """A chain of perturbations in words.

    Args:
        chain: frozen dataclasses.

    Example:
        >>> from gradatim.radiomics.robustness.move import Rotate
        >>> chain_name((Rotate(5.0),))
        'Rotate(angle=5.0, interpolation=Linear)'
    """
    return " + ".join(_in_words(described(step)) for step in chain) or "unperturbed"


def reliability(
    rows: Iterable[Repetition], *, coefficient: IntraclassCorrelation | None = None
) -> tuple[FeatureReliability, ...]:
    """The intraclass correlation of every feature of every region, over subjects and chains of perturbations.

    Subjects are rows of the table of a feature, chains its columns; a subject without a finite value in one of the
    chains is left out. Choose among features inside a cross-validation, from the training subjects alone.

    Args:
        rows: of all subjects, as :class:`Robustness` gives them.
        coefficient: which form; by default ICC(2,1) with 95 % intervals.

    Returns:
        One row a feature, in the order in which features first occur.

    Raises:
        InputError: GD-730 if a subject lacks a feature under a chain that another has, or has it twice.
    """
    used = TwoWayRandom() if coefficient is None else coefficient
    cells: dict[Key, dict[tuple[str, str], float]] = {}
    cases: dict[str, None] = {}
    chains: dict[str, None] = {}
    for row in rows:
        feature = row.feature
        key = (feature.region, feature.family, feature.feature, feature.ibsi_code, feature.aggregation)
        table = cells.setdefault(key, {})
        if (feature.case, row.chain) in table:
            raise _uneven(f"case {feature.case!r} has {feature.feature} of {feature.region!r} twice under {row.chain}")
        table[feature.case, row.chain] = feature.value
        cases.setdefault(feature.case)
        chains.setdefault(row.chain)
    found = []
    for key, table in cells.items():
        of_these = [case for case in cases if any((case, chain) in table for chain in chains)]
        missing = next(((s, c) for s in of_these for c in chains if (s, c) not in table), None)
        if missing is not None:
            raise _uneven(f"case {missing[0]!r} lacks {key[2]} of {key[0]!r} under {missing[1]}")
        values = np.array([[table[case, chain] for chain in chains] for case in of_these], np.float64)
        icc = used(values)
        found.append(
            FeatureReliability(
                *key, used.name, icc.estimate, icc.low, icc.high, icc.subjects, icc.measurements, icc.reason
            )
        )
    return tuple(found)


def _in_words(step: dict[str, object]) -> str:
    def word(value: object) -> str:
        if isinstance(value, dict):
            inner = _in_words(value)
            return inner.removesuffix("()")
        return f"({', '.join(map(word, value))})" if isinstance(value, list) else str(value)

    settings = ", ".join(f"{name}={word(value)}" for name, value in step.items() if name != "method")
    return f"{step['method']}({settings})"


def _uneven(given: str) -> InputError:
    return InputError(
        "GD-730",
        given=given,
        allowed="every feature of a case once under every chain",
        do="measure all cases with the same chains and settings, each case under its own name",
    )
