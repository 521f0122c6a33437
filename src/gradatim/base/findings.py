"""What a check says about one place of the input: a coded sentence with its cure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum

from gradatim.base.errors import GradatimError, InputError, ResourceError, UnsafeInputError, UsageError


class Severity(Enum):
    """How much a finding matters to a run."""

    REFUSE = "refuse"
    """The result would be wrong; a run stops here."""
    WARN = "warn"
    """The run goes on; report and sidecar show it."""
    NOTE = "note"
    """Something was converted or decided; the provenance keeps it."""


@dataclass(frozen=True)
class Finding:
    """One thing found, where, and what to do about it.

    Args:
        code: ``GD-xxx``; its meaning stands in :mod:`gradatim.base.codes`.
        severity: what it means for a run.
        where: the file, or the scan, as a reader would look for it.
        what: what was found, with the offending value.
        allowed: what would have been accepted.
        fix: what to do now.

    Example:
        >>> print(Finding("GD-303", Severity.REFUSE, "sub-01 echo 2", "EchoTime -0.01 s", "> 0 s", "correct it"))
        GD-303 refuse sub-01 echo 2: EchoTime -0.01 s; allowed: > 0 s; correct it
    """

    code: str
    severity: Severity
    where: str
    what: str
    allowed: str
    fix: str

    def __str__(self) -> str:
        return f"{self.code} {self.severity.value} {self.where}: {self.what}; allowed: {self.allowed}; {self.fix}"

    @classmethod
    def of(cls, error: GradatimError, where: str) -> "Finding":
        """A refusal that says what an error said."""
        return cls(error.code, Severity.REFUSE, where, error.given, error.allowed, error.do)

    def error(self) -> GradatimError:
        """The error of this finding's family, ready to be raised."""
        given = self.what if self.where in self.what else f"{self.where}: {self.what}"
        for family in (UsageError, InputError, UnsafeInputError, ResourceError):
            if self.code.startswith(family.families):
                return family(self.code, given=given, allowed=self.allowed, do=self.fix)
        return GradatimError(self.code, given=given, allowed=self.allowed, do=self.fix)

    def record(self) -> dict[str, str]:
        """The finding as plain data for JSON."""
        return {**asdict(self), "severity": self.severity.value}


def refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those findings that stop a run, in their order."""
    return tuple(f for f in findings if f.severity is Severity.REFUSE)


def first_error(findings: Iterable[Finding]) -> GradatimError:
    """The first refusal as an error of its family; the message counts the others.

    Args:
        findings: at least one of them a refusal.
    """
    first, *others = refusals(findings)
    error = first.error()
    if not others:
        return error
    codes = ", ".join(sorted({f.code for f in others}))
    do = f"{error.do} ({len(others)} more: {codes}; `gradatim check` lists them)"
    return type(error)(error.code, given=error.given, allowed=error.allowed, do=do)
