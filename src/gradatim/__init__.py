"""gradatim: quantitative imaging from the scanner's gradients to an answer.

The public list: nouns, errors, methods, files in and out. Nothing is imported before it is asked for. Every name can
also be had from the module that defines it, so that steps read as they are spoken::

    from gradatim.qsm import unwrap

    unwrap.Romeo()(signal)
"""

from importlib import import_module
from typing import Any

_HOMES = {
    # the nouns: signal → field → map → regions → features → answer, and where their voxels lie
    "Answer": "base.nouns",
    "Feature": "base.nouns",
    "FieldMap": "base.nouns",
    "Grid": "base.grid",
    "MultiEcho": "base.nouns",
    "QuantitativeMap": "base.nouns",
    "Regions": "base.nouns",
    # what is refused
    "GradatimError": "base.errors",
    "InputError": "base.errors",
    "ResourceError": "base.errors",
    "UnsafeInputError": "base.errors",
    "UsageError": "base.errors",
    # files
    "EchoReader": "io.multiecho",
    "read_any": "io.any_image",
    "read_features": "io.table",
    "read_kspace": "io.kspace",
    "read_image": "io.nifti",
    "read_labels": "io.nifti",
    "read_mask": "io.nifti",
    "read_picture": "io.picture",
    "read_tiff": "io.tiff",
    "write_any": "io.any_image",
    "write_features": "io.table",
    "write_nifti": "io.nifti_write",
    "write_picture": "io.picture_write",
    "write_tiff": "io.tiff_write",
    # signal → field → map
    "BrainMask": "qsm.masks",
    "EchoFit": "qsm.echo_fit",
    "LaplacianBoundaryValue": "qsm.boundary_value",
    "MonoExponential": "relaxation.mono_exponential",
    "OnePass": "qsm.two_pass",
    "PhaseQuality": "qsm.masks",
    "ResidualWraps": "qsm.residual_wraps",
    "Romeo": "qsm.unwrap",
    "ThresholdedDivision": "qsm.tkd",
    "TotalVariation": "qsm.total_variation",
    "TwoPass": "qsm.two_pass",
    "VSharp": "qsm.vsharp",
    # map → regions → features
    "OutstandingClusters": "segment.clusters",
    "Extraction": "radiomics.extraction",
    # a simulated head, and what a map is worth beside its truth
    "ChallengeScore": "qsm.score",
    "HeadPhantom": "qsm.phantom",
    "HeadScan": "qsm.scan",
    # linear maps with exact adjoints
    "BlockMean": "linop.blocks",
    "BlockSum": "linop.blocks",
    "CentredFourier": "linop.fourier",
    "Convolution": "linop.convolution",
    "Crop": "linop.crop",
    "Decimate": "linop.blocks",
    "Diagonal": "linop.diagonal",
    "Dipole": "linop.dipole",
    "Divergence": "linop.difference",
    "Fourier": "linop.fourier",
    "FourierMultiplier": "linop.multiplier",
    "Gradient": "linop.difference",
    "Identity": "linop.identity",
    "LinearOperator": "linop.operator",
    "Mask": "linop.diagonal",
    "NonUniformFourier": "linop.nonuniform",
    "Pad": "linop.crop",
    "PeriodicGradient": "linop.difference",
    "Resample": "linop.resample",
    "SampledFourier": "linop.sampled",
    "SymmetrisedGradient": "linop.symmetrised",
    "TransposedConvolution": "linop.transposed",
    "Wavelet": "linop.wavelet",
    "check_adjoint": "linop.callable",
    "convolution_of_a_window": "linop.convolution",
    "daubechies": "linop.wavelet_filter",
    "from_callable": "linop.callable",
    "symlet": "linop.wavelet_filter",
    "transposed_size": "linop.strides",
    # objectives: terms of a problem
    "Box": "solve.constraints",
    "Denoiser": "solve.denoiser",
    "GroupHuber": "solve.norms",
    "GroupL1": "solve.norms",
    "HuberDistance": "solve.distances",
    "InBasis": "solve.basis",
    "KullbackLeibler": "solve.poisson",
    "L1": "solve.norms",
    "L1Distance": "solve.distances",
    "NonNegative": "solve.constraints",
    "NonlinearPhase": "solve.phase",
    "Nuclear": "solve.nuclear",
    "Problem": "solve.problem",
    "SquaredDistance": "solve.distances",
    "SquaredL2": "solve.norms",
    "Term": "solve.problem",
    "generalised_variation": "solve.variation",
    "morphology_weighted": "solve.variation",
    "smoothed_total_variation": "solve.variation",
    "sobolev": "solve.variation",
    "total_variation": "solve.variation",
    "wavelet_sparsity": "solve.sparsity",
    # solvers, and when they stop
    "Adam": "solve.adaptive",
    "AdamW": "solve.adaptive",
    "AdjustedLangevin": "solve.langevin",
    "Admm": "solve.admm",
    "CentredRmsProp": "solve.adaptive",
    "Certificate": "solve.solution",
    "ConjugateGradient": "solve.conjugate_gradient",
    "Discrepancy": "solve.stopping",
    "Fista": "solve.fista",
    "GradientDescent": "solve.descent",
    "GradientWatch": "solve.gradient_watch",
    "HeavyBall": "solve.momentum",
    "IterationBound": "solve.stopping",
    "Langevin": "solve.langevin",
    "Lasting": "solve.gradient_stopping",
    "Lbfgs": "solve.lbfgs",
    "LostGradient": "solve.gradient_watch",
    "Nesterov": "solve.momentum",
    "ParameterVector": "solve.parameter_vector",
    "Pdhg": "solve.pdhg",
    "Penalised": "solve.penalised",
    "Plateau": "solve.gradient_stopping",
    "RelativeChange": "solve.stopping",
    "RelativeGradient": "solve.gradient_stopping",
    "RmsProp": "solve.adaptive",
    "RudinOsherFatemi": "solve.rof",
    "SmallEnergy": "solve.gradient_stopping",
    "SmallGap": "solve.stopping",
    "SmallGradient": "solve.gradient_stopping",
    "SmallResidual": "solve.stopping",
    "Solution": "solve.solution",
    "Stop": "solve.solution",
    "TimeBound": "solve.stopping",
    # λ, errors and gradients of solutions
    "DiscrepancyPrinciple": "solve.discrepancy_principle",
    "GeneralisedCrossValidation": "solve.cross_validation",
    "ImplicitSolution": "solve.implicit",
    "LCurve": "solve.l_curve",
    "ErrorMap": "solve.error_map",
    "LaplaceErrorMap": "solve.error_map",
    "NormalEquations": "solve.normal_equations",
    "Selected": "solve.selection",
    "Selection": "solve.selection",
    "Sure": "solve.sure",
    # images restored and made
    "AcceleratedRichardsonLucy": "restore.microscopy.accelerated_richardson_lucy",
    "AcrossChannels": "restore.denoise",
    "BlindRichardsonLucy": "restore.microscopy.blind",
    "BornWolf": "restore.microscopy.born_wolf",
    "ColourTotalVariationDenoising": "restore.total_variation",
    "CompressedSensing": "restore.mri.compressed_sensing",
    "Deblurring": "restore.deblur",
    "DeepImagePrior": "restore.deep_image_prior",
    "Denoising": "restore.denoise",
    "Espirit": "restore.mri.coil_maps",
    "GeneralisedVariationDenoising": "restore.generalised_variation",
    "GibsonLanni": "restore.microscopy.gibson_lanni",
    "Inpainting": "restore.inpaint",
    "KSpace": "restore.mri.kspace",
    "LatentInversion": "restore.latent",
    "MeasuredPsf": "restore.microscopy.measured_psf",
    "MixedEdit": "restore.edit",
    "PhotonCounts": "restore.microscopy.photon_counts",
    "PlugAndPlay": "restore.plug_and_play",
    "RichardsonLucy": "restore.microscopy.richardson_lucy",
    "SeamlessEdit": "restore.edit",
    "Sharpening": "restore.sharpen",
    "SuperResolution": "restore.super_resolution",
    "Synthesis": "restore.synthesis",
    "Tiled": "restore.tiles",
    "TotalVariationDeconvolution": "restore.microscopy.total_variation",
    "TotalVariationDenoising": "restore.total_variation",
    "UnsharpMask": "restore.sharpen",
    "WaveletShrinkage": "restore.wavelet_shrinkage",
}
"""Public name → the module, below this one, that defines it. `make docs` writes the type stub from it."""

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return import_module("importlib.metadata").version("gradatim")
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no public name {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"gradatim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
