"""A small valid BIDS data set, and seventeen ways to ruin it that its name and validator do not show."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

SHAPE = (16, 16, 12)
AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
ECHO_TIMES = (0.005, 0.010, 0.015)
FIELD_HZ = 60.0


def signal(echo_time: float, seed: int) -> np.ndarray:
    """Complex signal of a ball in noise: a field growing along x, decaying with the echo time."""
    rng = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    ball = 100.0 * (x**2 + y**2 + z**2 < 0.6) * np.exp(-echo_time / 0.03)
    noise = rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)
    return ball * np.exp(2j * np.pi * FIELD_HZ * x * echo_time) + noise


def save(path: Path, values: np.ndarray, affine: np.ndarray | None = AFFINE) -> None:
    """Write an image by nibabel with both orientations set, or with none."""
    image = nibabel.Nifti1Image(values, affine)
    if affine is not None:
        image.header.set_xyzt_units("mm", "sec")
        image.set_sform(affine, 1)
        image.set_qform(affine, 1)
    nibabel.save(image, path)


def values_of(path: Path) -> np.ndarray:
    """A copy of an image's values, read by nibabel."""
    return np.asarray(nibabel.load(path).dataobj).copy()


def build(root: Path, *, subject: str = "01", seed: int = 0) -> Path:
    """Add a subject with three echoes, magnitude and phase in rad; its folder ``anat``."""
    anat = root / f"sub-{subject}" / "anat"
    anat.mkdir(parents=True)
    write_json(root / "dataset_description.json", {"Name": "three echoes", "BIDSVersion": "1.11.1"})
    for echo, time in enumerate(ECHO_TIMES, 1):
        s = signal(time, 10 * seed + echo)
        for part, values in (("mag", np.abs(s)), ("phase", np.angle(s))):
            stem = anat / f"sub-{subject}_echo-{echo}_part-{part}_MEGRE"
            save(stem.with_name(stem.name + ".nii.gz"), values.astype(np.float32))
            said = {"EchoTime": time, "MagneticFieldStrength": 3.0, "FlipAngle": 15}
            write_json(stem.with_name(stem.name + ".json"), said | ({"Units": "rad"} if part == "phase" else {}))
    return anat


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON."""
    path.write_text(json.dumps(content), encoding="utf-8")


def say(anat: Path, name: str, **values: Any) -> None:
    """Change a sidecar; None removes a key."""
    path = anat / f"{name}.json"
    content = json.loads(path.read_text(encoding="utf-8")) | values
    write_json(path, {key: value for key, value in content.items() if value is not None})


MAG2, PHASE2 = "sub-01_echo-2_part-mag_MEGRE", "sub-01_echo-2_part-phase_MEGRE"


def _image(anat: Path) -> Path:
    return anat / f"{PHASE2}.nii.gz"


def _same_time(anat: Path) -> None:
    for name in (MAG2, PHASE2):
        say(anat, name, EchoTime=ECHO_TIMES[0])


def _remove(pattern: str) -> Callable[[Path], None]:
    def remove(anat: Path) -> None:
        for path in anat.glob(pattern):
            path.unlink()

    return remove


def _half(anat: Path) -> None:
    content = _image(anat).read_bytes()
    _image(anat).write_bytes(content[: len(content) // 2])


def _without_orientation(anat: Path) -> None:
    save(_image(anat), np.angle(signal(ECHO_TIMES[1], 2)).astype(np.float32), None)


def _copied_subject(anat: Path) -> None:
    shutil.copytree(anat.parent, anat.parent.parent / "sub-001")


RUINED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no echo time": (lambda a: say(a, PHASE2, EchoTime=None), "GD-301"),
    "echo time in ms": (lambda a: say(a, PHASE2, EchoTime=10.0), "GD-302"),
    "negative echo time": (lambda a: say(a, PHASE2, EchoTime=-0.01), "GD-303"),
    "parts with other echo times": (lambda a: say(a, PHASE2, EchoTime=0.012), "GD-304"),
    "two echoes at one time": (_same_time, "GD-305"),
    "units degrees": (lambda a: say(a, PHASE2, Units="degrees"), "GD-331"),
    "no units": (lambda a: say(a, PHASE2, Units=None), "GD-333"),
    "no magnitude": (_remove("*part-mag*"), "GD-310"),
    "middle echo missing": (_remove("*echo-2*"), "GD-307"),
    "another matrix": (lambda a: save(_image(a), np.zeros((8, 8, 8), np.float32), np.eye(4)), "GD-311"),
    "phase not a number": (lambda a: save(_image(a), np.full(SHAPE, np.nan, np.float32)), "GD-217"),
    "gzip cut in half": (_half, "GD-207"),
    "empty file": (lambda a: _image(a).write_bytes(b""), "GD-201"),
    "not gzip": (lambda a: _image(a).write_bytes(b"hello" * 200), "GD-202"),
    "no orientation": (_without_orientation, "GD-213"),
    "sidecar cut": (lambda a: (a / f"{PHASE2}.json").write_text('{"EchoTime": 0.01,'), "GD-221"),
    "subject copied": (_copied_subject, "GD-322"),
}
"""What was done → how, and the code of the one refusal that it must give."""
