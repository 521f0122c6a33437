"""The public list as type checkers and editors read it; made by docs/build_stub.py from __init__.py."""

from gradatim.base.errors import GradatimError as GradatimError
from gradatim.base.errors import InputError as InputError
from gradatim.base.errors import ResourceError as ResourceError
from gradatim.base.errors import UnsafeInputError as UnsafeInputError
from gradatim.base.errors import UsageError as UsageError
from gradatim.base.grid import Grid as Grid
from gradatim.base.nouns import Answer as Answer
from gradatim.base.nouns import Feature as Feature
from gradatim.base.nouns import FieldMap as FieldMap
from gradatim.base.nouns import MultiEcho as MultiEcho
from gradatim.base.nouns import QuantitativeMap as QuantitativeMap
from gradatim.base.nouns import Regions as Regions
from gradatim.io.multiecho import EchoReader as EchoReader
from gradatim.io.nifti import read_image as read_image
from gradatim.io.nifti import read_labels as read_labels
from gradatim.io.nifti import read_mask as read_mask
from gradatim.io.nifti_write import write_nifti as write_nifti
from gradatim.io.table import read_features as read_features
from gradatim.io.table import write_features as write_features
from gradatim.qsm.boundary_value import LaplacianBoundaryValue as LaplacianBoundaryValue
from gradatim.qsm.echo_fit import EchoFit as EchoFit
from gradatim.qsm.masks import BrainMask as BrainMask
from gradatim.qsm.masks import PhaseQuality as PhaseQuality
from gradatim.qsm.phantom import HeadPhantom as HeadPhantom
from gradatim.qsm.residual_wraps import ResidualWraps as ResidualWraps
from gradatim.qsm.scan import HeadScan as HeadScan
from gradatim.qsm.score import ChallengeScore as ChallengeScore
from gradatim.qsm.tkd import ThresholdedDivision as ThresholdedDivision
from gradatim.qsm.total_variation import TotalVariation as TotalVariation
from gradatim.qsm.two_pass import OnePass as OnePass
from gradatim.qsm.two_pass import TwoPass as TwoPass
from gradatim.qsm.unwrap import Romeo as Romeo
from gradatim.qsm.vsharp import VSharp as VSharp
from gradatim.radiomics.extraction import Extraction as Extraction
from gradatim.relaxation.mono_exponential import MonoExponential as MonoExponential
from gradatim.segment.clusters import OutstandingClusters as OutstandingClusters

__version__: str
