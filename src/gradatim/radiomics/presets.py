"""Settings with a name: the strings of the command line, as objects."""

from gradatim.radiomics.aggregation import (
    DIRECTIONS_MERGED,
    EVERY_AGGREGATION,
    PLANES_MERGED,
    SLICES_AVERAGED,
    SLICES_MERGED,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
    ZONES_AVERAGED,
    ZONES_MERGED,
    ZONES_VOLUME,
)
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.interpolation import CubicSpline
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.pyradiomics.families import PYRADIOMICS
from gradatim.radiomics.resample import ResampleTo, RoundToUnit
from gradatim.radiomics.resegment import IntensityRange, OutlierFence

IBSI_DIGITAL = Extraction(Preparation(NoDiscretisation()), aggregations=EVERY_AGGREGATION)
"""What the IBSI digital phantom is measured with: its intensities are grey levels, all nine aggregations."""

_BY_SLICE = (SLICES_AVERAGED, SLICES_MERGED, DIRECTIONS_MERGED, PLANES_MERGED, ZONES_AVERAGED, ZONES_MERGED)
_IN_SPACE = (VOLUME_AVERAGED, VOLUME_MERGED, ZONES_VOLUME)

_SLICES_OF_2_MM = ResampleTo((2.0, 2.0), rounding=RoundToUnit())
_CUBES_OF_2_MM = ResampleTo((2.0, 2.0, 2.0), rounding=RoundToUnit())
_SPLINE_TO_2_MM = ResampleTo((2.0, 2.0, 2.0), interpolation=CubicSpline(), rounding=RoundToUnit())

_SOFT_TISSUE = IntensityRange(low=-500.0, high=400.0)
_ALL_TISSUE = IntensityRange(low=-1000.0, high=400.0)

_SOFT_TISSUE_BY_HU = IntensityBins(width=1.0, low=-500.5, high=400.5)

IBSI_A = Extraction(
    Preparation(FixedBinSize(width=25.0, origin=-500.0), (_SOFT_TISSUE,), curve=_SOFT_TISSUE_BY_HU),
    aggregations=_BY_SLICE,
)
"""IBSI configuration A for CT in HU: slice by slice, as acquired; bins of 25 HU.

A to E are those of the IBSI reference manual, arXiv:1612.07003, for its CT phantom. A bin size counts from the
lower end of the re-segmentation range; each reports the aggregations that the manual has values for. Where the
manual discretises no volume histogram, each whole HU of the range is a bin.
"""

IBSI_B = Extraction(
    Preparation(FixedBinNumber(32), (_SOFT_TISSUE,), _SLICES_OF_2_MM, curve=_SOFT_TISSUE_BY_HU),
    aggregations=_BY_SLICE,
)
"""IBSI configuration B for CT in HU: slice by slice, bilinear to 2 mm in the plane; 32 bins."""

IBSI_C = Extraction(
    Preparation(
        FixedBinSize(width=25.0, origin=-1000.0),
        (_ALL_TISSUE,),
        _CUBES_OF_2_MM,
        curve=IntensityBins(width=2.5, low=-1000.0, high=400.0),
    ),
    aggregations=_IN_SPACE,
)
"""IBSI configuration C for CT in HU: in space, trilinear to 2 mm; bins of 25 HU, 2.5 HU for the volume histogram."""

IBSI_D = Extraction(Preparation(FixedBinNumber(32), (OutlierFence(3.0),), _CUBES_OF_2_MM), aggregations=_IN_SPACE)
"""IBSI configuration D for CT in HU: in space, trilinear to 2 mm, without outliers beyond 3 σ; 32 bins."""

IBSI_E = Extraction(
    Preparation(
        FixedBinNumber(32),
        (_ALL_TISSUE, OutlierFence(3.0)),
        _SPLINE_TO_2_MM,
        curve=FixedBinNumber(1000),
    ),
    aggregations=_IN_SPACE,
)
"""IBSI configuration E for CT in HU: in space, cubic spline to 2 mm, range and outliers; 32 bins, 1000 for the
volume histogram."""

PYRADIOMICS_3_1 = Extraction(
    Preparation(ZeroAlignedBins(width=25.0)),
    families=PYRADIOMICS,
    aggregations=(VOLUME_AVERAGED, ZONES_VOLUME),
)
"""The numbers and names of PyRadiomics 3.1 with its default settings, deviations from IBSI included.

No resampling and no re-segmentation; bins of 25 on a ruler from zero, numbered from the region's lowest; co-occurrence
and runs averaged over 13 directions; its own mesh; kurtosis not excess; axis lengths by n. For other settings:
``ZeroAlignedBins`` is ``binWidth``, ``FixedBinNumber`` is ``binCount``, ``CornerAlignedResampling`` is
``resampledPixelSpacing``, ``IntensityRange`` and ``OutlierFence`` are ``resegmentRange`` (which in PyRadiomics also
cuts the shape to the box of the voxels that are left; not here); aggregations JJUI and 62GR are ``force2D``, IAZD is
``weightingNorm: no_weighting``.
"""

QSM = Extraction(Preparation(FixedBinSize(width=0.01, origin=-2.0), curve=IntensityBins(width=0.001)))
"""For susceptibility maps in ppm.

Bins of fixed size, because χ is calibrated: a level means the same in every region and subject. Width
0.01 ppm, about the voxel noise of a good χ map at 3 T: narrower bins would count noise, much wider ones would
leave a deep nucleus, whose χ spreads over 0.1 to 0.3 ppm, only a handful of levels instead of 10 to 30. Origin
−2 ppm, below tissue, veins and most calcifications; a region that reaches lower has no texture, with that reason.
One 3-D matrix, merged over the 13 directions, so that no slice direction is preferred. The volume histogram has bins
of 0.001 ppm, finer than the noise, over each region's own range.
"""

PRESETS: dict[str, Extraction] = {
    "ibsi-digital": IBSI_DIGITAL,
    "ibsi-a": IBSI_A,
    "ibsi-b": IBSI_B,
    "ibsi-c": IBSI_C,
    "ibsi-d": IBSI_D,
    "ibsi-e": IBSI_E,
    "pyradiomics-3.1": PYRADIOMICS_3_1,
    "qsm": QSM,
}
"""Name → extraction."""
