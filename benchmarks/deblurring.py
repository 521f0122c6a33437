"""Six scenarios of deblurring after Dabov et al. (2008), on scikit-image's camera picture, σ and λ without the truth.

The picture is ``skimage.data.camera()`` at 256×256: a replacement under a free licence, not the classical Cameraman.
So the published figures, which are of that one, stand beside ours for orientation only. ISNR in dB, one draw of noise.
The blur is periodic, as in the protocol.
"""

import math

import numpy as np
import torch
from skimage import __version__ as peer_version
from skimage import data, restoration
from skimage.transform import resize
from torch import Tensor

from gradatim.restore.observation import Observation, observe_periodic
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.point_spread import gaussian_spread
from gradatim.restore.prior import VariationPrior
from gradatim.restore.white_noise import white_noise

COMMAND = "`python benchmarks/deblurring.py`"
PUBLISHED = ((7.41, 8.19), (5.17, 6.40), (8.54, 8.34), (2.57, 3.34), (3.36, 3.73), (1.30, 4.70))
"""Oliveira et al. 2009 (total variation) and Dabov et al. 2008 (BM3DDEB), on the classical Cameraman, as remembered."""
ORACLE = 8
"""Values of λ, a factor of two apart, among which the truth chooses for comparison."""


def scenarios() -> list[tuple[str, Tensor, float]]:
    """Name, kernel and variance of the noise."""
    place = torch.arange(-7.0, 8.0).double()
    lorentz = 1.0 / (1.0 + place[:, None].square() + place.square())
    binomial = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64)
    return [
        ("1/(1+i²+j²), σ² = 2", lorentz / lorentz.sum(), 2.0),
        ("1/(1+i²+j²), σ² = 8", lorentz / lorentz.sum(), 8.0),
        ("9×9 uniform, σ² = 0.308", torch.full((9, 9), 1 / 81, dtype=torch.float64), 0.308),
        ("[1 4 6 4 1]ᵀ[1 4 6 4 1]/256, σ² = 49", binomial[:, None] * binomial / 256.0, 49.0),
        ("Gaussian 1.6, σ² = 4", gaussian_spread(1.6), 4.0),
        ("Gaussian 0.4, σ² = 64", gaussian_spread(0.4), 64.0),
    ]


def gain(found: Tensor, seen: Tensor, truth: Tensor) -> float:
    """ISNR, dB."""
    return 10.0 * math.log10(float((seen - truth).square().sum()) / float((found - truth).square().sum()))


def peer(image: Tensor, kernel: Tensor) -> Tensor:
    """scikit-image's Wiener filter with its own rule, values scaled to 0 … 1 as it wants them."""
    found, _ = restoration.unsupervised_wiener(image.numpy() / 255.0, kernel.numpy(), rng=0, clip=False)
    return torch.from_numpy(255.0 * found).float()


def main() -> None:
    torch.set_num_threads(2)
    truth = resize(data.camera().astype(np.float64), (256, 256), anti_aliasing=True, preserve_range=True)
    picture = torch.from_numpy(truth).float()
    for seed, (name, kernel, variance) in enumerate(scenarios()):
        clean = observe_periodic(picture, spacing=(1.0, 1.0), kernel=kernel)
        noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(seed))
        image = clean.blur.apply(picture) + math.sqrt(variance) * noise
        seen: Observation = observe_periodic(image, spacing=(1.0, 1.0), kernel=kernel)
        sigma = white_noise(image, axes=2)
        ours = VariationPrior().restored(seen, sigma)
        plugged = PlugAndPlay().restored(seen, sigma)
        weights = [sigma * 0.8 / 2**k for k in range(ORACLE)]
        best = max(gain(VariationPrior(w).restored(seen, sigma).value, image, picture) for w in weights)
        figures = (
            f"σ {sigma:.2f} for {math.sqrt(variance):.2f}; "
            f"plug and play **{gain(plugged.value, image, picture):.2f}**; "
            f"TV {gain(ours.value, image, picture):.2f} (λ/σ {(ours.weight or 0.0) / sigma:.3f}), "
            f"with λ by the truth {best:.2f}"
        )
        other = gain(peer(image, kernel), image, picture)
        tv, bm3d = PUBLISHED[seed]
        peers = f"{other:.2f} (unsupervised_wiener, scikit-image {peer_version}); on Cameraman: TV {tv}, BM3DDEB {bm3d}"
        print(f"| deblurring, ISNR, dB | camera 256, {name} | {figures} | {peers} | {COMMAND} |", flush=True)


if __name__ == "__main__":
    main()
