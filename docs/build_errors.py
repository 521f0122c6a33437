"""Writes docs/errors.md from the table of codes; `make docs` runs it, a test compares."""

from pathlib import Path

from gradatim.base.codes import CODES
from gradatim.base.errors import GradatimError, InputError, ResourceError, UnsafeInputError, UsageError

PAGE = Path(__file__).with_name("errors.md")

CLASSES: tuple[type[GradatimError], ...] = (UsageError, InputError, UnsafeInputError, ResourceError)

HEAD = """\
# Errors and exit codes

<!-- Made by docs/build_errors.py from gradatim.base.codes; change it there and run `make docs`. -->

Every refusal says what was given, what is allowed and what to do, and carries a code that never changes its
meaning. `gradatim check` gives the same codes without running anything. Nothing is left half-written.

| exit code | meaning |
|---|---|
| 0 | all went well |
| 1 | some subjects failed; the others are done, and the summary names both |
| 2 | wrong usage: an unknown option, a value outside its range |
| 3 | bad input: the data cannot give a right answer |
| 4 | unsafe input, refused |
| 5 | the machine: disk, memory, permission, a missing optional part |
| 70 | a bug of ours; a report without your data lies in the temporary folder |
| 130 | interrupted by Ctrl-C or SIGTERM |
| 141 | the program that read our output went away |
"""


def page() -> str:
    """The whole page, one section for each class of errors."""
    sections = [HEAD]
    for cls in CLASSES:
        rows = [f"| {code} | {meaning} |" for code, meaning in CODES.items() if code.startswith(cls.families)]
        summary = (cls.__doc__ or "").split("\n")[0]
        head = f"\n## {cls.__name__}, exit code {cls.exit_code}\n\n{summary}\n\n| code | meaning |\n|---|---|\n"
        sections.append(head + "\n".join(rows) + "\n")
    return "".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
