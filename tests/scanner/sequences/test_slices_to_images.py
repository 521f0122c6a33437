"""Several slices: the raw data of each is one image, as large as the slice, with the object at its place."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from gradatim.base.raw import RawData
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import SliceSelective
from gradatim.scanner.reconstruct.box import Reconstructed, chosen
from gradatim.scanner.reconstruct.cartesian import Cartesian
from gradatim.scanner.reconstruct.regrid import Regrid
from gradatim.scanner.sequences.delivered_weighting import DiffusionWeighting
from gradatim.scanner.sequences.diffusion_epi import DiffusionEchoPlanar
from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.epi import EchoPlanar
from gradatim.scanner.sequences.gre import GradientEcho
from gradatim.scanner.sequences.multi_echo_gre import MultiEchoGradientEcho
from gradatim.scanner.sequences.spoiling import Spoiling
from gradatim.scanner.sequences.tse import EchoTrain, TurboSpinEcho
from gradatim.scanner.simulate.fourier_encoding import FourierEncoding
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

FOV, MATRIX, PLACES = (0.2, 0.18, 0.004), (15, 12, 1), (-0.01, 0.0, 0.016)
ENCODING = CartesianEncoding(FOV, MATRIX, 20e-6)
TRAIN = EchoPlanarTrain(FOV[:2], MATRIX[:2])
Protocol = MultiEchoGradientEcho | EchoPlanar | TurboSpinEcho | DiffusionEchoPlanar
SLICES: dict[str, tuple[Protocol, Callable[[RawData], Reconstructed]]] = {
    "gre": (
        replace(
            GradientEcho(
                ENCODING, SliceSelective(SincPulse(0.3, 2e-3), 0.004), repetition_time=1.0, spoiling=Spoiling(dummies=0)
            ),
            slices=PLACES,
        ),
        Cartesian(),
    ),
    "tse": (TurboSpinEcho(ENCODING, EchoTrain(4), repetition_time=4.0, dummies=0, slice_positions=PLACES), Cartesian()),
    "epi": (EchoPlanar(TRAIN, 4e-3, repetition_time=2.0, slice_positions=PLACES), Regrid()),
    "diffusion": (
        DiffusionEchoPlanar(TRAIN, (DiffusionWeighting(0.0),), 4e-3, slice_positions=PLACES, dummies=0),
        Regrid(),
    ),
}


@pytest.mark.parametrize("name", SLICES)
def test_each_slice_is_one_image_of_its_own_thickness(name: str) -> None:
    protocol, method = SLICES[name]
    voxel = (9, 3)
    place = torch.tensor([[(v - n // 2) * e / n for v, n, e in zip(voxel, MATRIX, FOV, strict=False)] + [0.0]])
    spins = replace(spins_at(place, t1=0.01, t2=0.0015), size=(0.0, 0.0, FOV[2]))
    raw = FourierEncoding()(protocol(System(0.040, 150.0)), spins)
    for number in range(len(PLACES)):
        part = chosen(raw, {"SLC": number, "NAV": 0})
        found = method(part)
        image = found.image[0, :, :, 0].abs()
        assert found.grid.shape == MATRIX
        assert found.grid.spacing == pytest.approx([1e3 * e / n for e, n in zip(FOV, MATRIX, strict=True)])
        assert divmod(int(image.argmax()), MATRIX[1]) == voxel
        middle = part.samples[0, int(part.position.norm(dim=1).argmin())]
        summed = found.image.sum() * math.prod(FOV) / math.prod(MATRIX)
        assert float((summed - middle).abs()) < 0.02 * float(middle.abs())
