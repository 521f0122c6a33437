"""Every error that gradatim raises on purpose.

The tree, with the exit code of the command line in brackets::

    GradatimError
    ├── UsageError          [2]  GD-1xx  settings, names and values a caller chose
    ├── InputError          [3]  GD-2xx  files   GD-3xx  acquisition and BIDS
    │                            GD-6xx  the chain's numbers   GD-7xx  regions and features
    │                            GD-8xx  sequences, raw data and diffusion   GD-9xx  findings in a sequence
    ├── UnsafeInputError    [4]  GD-4xx  paths, bombs, foreign code
    └── ResourceError       [5]  GD-5xx  disk, memory, permission, locks, optional parts

A message always says three things: what was given, what is allowed, what to do. The meaning of each
code stands in :mod:`gradatim.base.codes`; an unknown code cannot be raised.
"""

from gradatim.base.codes import CODES


class GradatimError(Exception):
    """Base of the tree; carries a stable code and the three sentences a user needs.

    Args:
        code: ``GD-xxx``, one of :data:`gradatim.base.codes.CODES`.
        given: what was found, with the offending value.
        allowed: what would have been accepted.
        do: what to do now.

    Example:
        >>> print(UsageError("GD-101", given="weight -1.0", allowed="weight > 0", do="choose a positive weight"))
        GD-101: weight -1.0; allowed: weight > 0; choose a positive weight
    """

    exit_code = 1
    families: tuple[str, ...] = ()

    def __init__(self, code: str, *, given: str, allowed: str, do: str) -> None:
        if code not in CODES:
            raise KeyError(f"{code} is not in gradatim.base.codes.CODES")
        super().__init__(code, given, allowed, do)
        self.code, self.given, self.allowed, self.do = code, given, allowed, do

    def __str__(self) -> str:
        return f"{self.code}: {self.given}; allowed: {self.allowed}; {self.do}"

    def __reduce__(self):  # keyword-only arguments do not survive the default pickle
        return _rebuild, (type(self), self.code, self.given, self.allowed, self.do)


def _rebuild(cls: type[GradatimError], code: str, given: str, allowed: str, do: str) -> GradatimError:
    return cls(code, given=given, allowed=allowed, do=do)


class UsageError(GradatimError):
    """A setting, name or value chosen by the caller is not allowed."""

    exit_code = 2
    families = ("GD-1",)


class InputError(GradatimError):
    """The data or its description cannot give a right answer."""

    exit_code = 3
    families = ("GD-2", "GD-3", "GD-6", "GD-7", "GD-8", "GD-9")


class UnsafeInputError(GradatimError):
    """The input would reach outside its folder, exhaust the machine or run foreign code."""

    exit_code = 4
    families = ("GD-4",)


class ResourceError(GradatimError):
    """Disk, memory, permission, a lock held by another run, or an optional part that is missing."""

    exit_code = 5
    families = ("GD-5",)
