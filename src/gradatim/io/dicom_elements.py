"""The data elements of a DICOM file that comes from a stranger: read with a code for whatever is wrong.

Warnings and log lines of the DICOM library are dropped here, because they quote the values of data elements, and
those may name a patient. For the same reason no message of this package quotes a data element other than sizes,
positions and the identifiers by which a series is chosen.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from gradatim.base.errors import GradatimError, InputError
from gradatim.base.optional import pydicom

_DECODING: ContextVar[bool] = ContextVar("decoding", default=False)
_Value = TypeVar("_Value")


def whole(dataset: Any, key: str, name: str, *, default: int | None = None, least: int = 1) -> int:
    """A data element that counts something.

    Args:
        dataset: where it stands.
        key: its keyword.
        name: how messages call the file.
        default: what holds if it is missing; None if it must be there.
        least: the smallest allowed value.

    Raises:
        InputError: GD-289 if it is missing, no whole number or below ``least``.
    """
    given = element(dataset, key, name)
    value = default if given is None else given
    if not isinstance(value, int) or not least <= value <= 1 << 31:
        raise damaged(name, f"{key} is no whole number of at least {least}")
    return int(value)


def numbers(dataset: Any, key: str, count: int, name: str) -> np.ndarray:
    """A data element of several numbers, float64.

    Args:
        dataset: where it stands.
        key: its keyword.
        count: how many numbers there must be.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if it is missing, or not so many finite numbers.
    """

    def taken() -> np.ndarray:
        raw = dataset.get_item(key)
        if getattr(raw, "VR", "") in ("DS", None) and isinstance(raw.value, bytes) and raw.value.strip(b" \0"):
            # Text turned to numbers at once: number by number, contours take a hundred times longer.
            return np.array(raw.value.split(b"\\")).astype(np.float64)
        value = element(dataset, key, name)
        return np.atleast_1d(np.asarray([] if value is None else value, dtype=np.float64))

    values = reading(taken, name)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise damaged(name, f"{key} is not {count} finite number(s)")
    return values


def element(dataset: Any, key: str, name: str) -> Any:
    """The value of a data element, None if it is missing or empty.

    Args:
        dataset: where it stands.
        key: its keyword.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if its bytes are not what their kind allows.
    """
    value = reading(lambda: dataset.get(key), name)
    return None if value is None or (isinstance(value, str) and not value) else value


def in_words(dataset: Any, key: str, name: str) -> str:
    """A data element that names a region, in printable characters on one line.

    Args:
        dataset: where it stands.
        key: its keyword.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if its bytes are not what their kind allows.
    """
    text = reading(lambda: str(dataset.get(key, "") or ""), name)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def items(dataset: Any, key: str, name: str) -> list[Any]:
    """The items of a sequence, none if it is missing.

    Args:
        dataset: where it stands.
        key: its keyword.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if it is no sequence.
    """
    value = element(dataset, key, name)
    if value is not None and not isinstance(value, pydicom().sequence.Sequence):
        raise damaged(name, f"{key} is no sequence")
    return [] if value is None else list(value)


def reading(take: Callable[[], _Value], name: str) -> _Value:
    """What a reading step gives, or the refusal of the file.

    Args:
        take: one step that touches data elements, which are decoded when they are touched.
        name: how messages call the file.

    Raises:
        InputError: GD-289 for whatever the library finds wrong.
    """
    with decoding(name):
        return take()


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn the library's complaints about a file into its refusal, and drop its warnings.

    Only steps that touch the library belong inside.

    Args:
        name: how messages call the file.

    Raises:
        InputError: GD-289 for whatever the library finds wrong.
    """
    logging.getLogger("pydicom").addFilter(_from_elsewhere)
    before = _DECODING.set(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GradatimError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything on crafted bytes, even StopIteration
        raise damaged(name, f"it cannot be decoded ({type(error).__name__})") from None
    finally:
        _DECODING.reset(before)


def _from_elsewhere(record: logging.LogRecord) -> bool:
    """Whether a log line of the library belongs to other work than ours."""
    return not _DECODING.get()


def damaged(name: str, why: str) -> InputError:
    """The refusal of a file.

    Args:
        name: how messages call it.
        why: what is wrong, without the value of any element that may name a patient.
    """
    return InputError(
        "GD-289", given=f"{name}: {why}", allowed="a whole DICOM file", do="export or copy the series again"
    )


def unread(name: str, what: str, allowed: str) -> InputError:
    """The refusal of pixels of a kind that is not read.

    Args:
        name: how messages call the file.
        what: what they are.
        allowed: what is read.
    """
    do = "convert the series to NIfTI, or export it in another form"
    return InputError("GD-295", given=f"{name} has {what}", allowed=allowed, do=do)
