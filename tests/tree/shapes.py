"""What files, functions and classes look like."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.tree.source import Source, package_sources

Function = ast.FunctionDef | ast.AsyncFunctionDef

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 8

BUILT_IN_ERRORS = {"Exception", "BaseException", "ValueError", "TypeError", "RuntimeError", "IndexError", "OSError",
                   "IOError", "ArithmeticError", "NotImplementedError", "AssertionError", "LookupError", "ImportError",
                   "FileNotFoundError", "KeyError", "SystemExit"}  # fmt: skip


def functions(source: Source) -> Iterator[Function]:
    """Every function and method."""
    yield from (node for node in ast.walk(source.tree) if isinstance(node, Function))


def classes(source: Source) -> Iterator[ast.ClassDef]:
    """Every class."""
    yield from (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))


def parameters(function: Function) -> list[ast.arg]:
    """A function's parameters without ``self`` and ``cls``."""
    each = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [arg for arg in each if arg.arg not in {"self", "cls"}]


def code_lines(function: Function) -> int:
    """Lines of a function's body, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def no_open_kwargs(source: Source) -> Iterator[str]:
    """An unknown name fails; nothing swallows it."""
    for function in functions(source):
        if function.args.kwarg:
            yield source.at(function, f"{function.name} takes open **{function.args.kwarg.arg}")


def no_flags(source: Source) -> Iterator[str]:
    """A bool that changes the algorithm becomes a second class; only data and commands have switches."""
    if source.floor == "cli":
        return
    for function in functions(source):
        defaults = [*function.args.defaults, *function.args.kw_defaults]
        if any(isinstance(d, ast.Constant) and isinstance(d.value, bool) for d in defaults):
            yield source.at(function, f"{function.name} has a bool flag; make it a second function or class")
    for cls in filter(is_called, classes(source)):
        for node in cls.body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "bool":
                yield source.at(node, f"{cls.name} has a bool flag; make it a second class")


def sizes_stay_human(source: Source) -> Iterator[str]:
    """One idea a file, a function that fits a screen, parameters one can remember."""
    if source.text.count("\n") > LONGEST_FILE:
        yield source.at(source.tree, f"{source.text.count(chr(10))} lines; at most {LONGEST_FILE}")
    for function in functions(source):
        if code_lines(function) > LONGEST_FUNCTION:
            yield source.at(function, f"{function.name} has {code_lines(function)} lines; at most {LONGEST_FUNCTION}")
        if len(parameters(function)) > MOST_PARAMETERS:
            yield source.at(function, f"{function.name} has {len(parameters(function))} parameters")


def methods_are_frozen_dataclasses(source: Source) -> Iterator[str]:
    """What is called to do the work keeps its parameters as frozen fields."""
    if source.floor in {"nets", "cli", ""}:
        return
    for cls in classes(source):
        if is_called(cls) and not is_abstract(cls) and not _frozen(cls):
            yield source.at(cls, f"{cls.name} is called but is not a frozen dataclass")


def is_called(cls: ast.ClassDef) -> bool:
    """Whether a class's objects do their work when called: a method, in the house's words."""
    return any(isinstance(node, Function) and node.name == "__call__" for node in cls.body)


def _frozen(cls: ast.ClassDef) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func).endswith("dataclass")
        and any(k.arg == "frozen" and ast.unparse(k.value) == "True" for k in decorator.keywords)
        for decorator in cls.decorator_list
    )


def is_abstract(cls: ast.ClassDef) -> bool:
    """Whether a class says that it is only a shape: ABC, Protocol, or an abstract method."""
    bases = {ast.unparse(base).split("[")[0].split(".")[-1] for base in cls.bases}
    abstract = any(
        isinstance(node, Function) and any("abstract" in ast.unparse(d) for d in node.decorator_list)
        for node in cls.body
    )
    return abstract or bool(bases & {"ABC", "Protocol"})


def no_super_chains(source: Source) -> Iterator[str]:
    """Wrap, don't override: ``super()`` only builds, it never continues an overridden method."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).startswith("super(") and node.attr != "__init__":
            yield source.at(node, f"super().{node.attr}: wrap the other object instead")


def errors_have_codes(source: Source) -> Iterator[str]:
    """What is raised belongs to our tree, so that it has a code, a cause and a cure."""
    if source.path.endswith("base/errors.py"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            if name in BUILT_IN_ERRORS:
                yield source.at(node, f"raises {name}; use the tree in gradatim.base.errors")


@cache
def promised() -> frozenset[str]:
    """Names of the methods that an abstract class documents; who keeps the promise need not repeat it."""
    return frozenset(
        node.name
        for source in package_sources()
        for cls in classes(source)
        if is_abstract(cls)
        for node in cls.body
        if isinstance(node, Function) and ast.get_docstring(node)
    )


def public_objects_explain_themselves(source: Source) -> Iterator[str]:
    """Modules, and public classes, functions and methods, open with a one-line summary."""
    nodes: list[ast.Module | ast.ClassDef | Function] = [source.tree]
    for holder in [source.tree, *(c for c in classes(source) if not c.name.startswith("_"))]:
        nodes += [
            node
            for node in holder.body
            if isinstance(node, ast.ClassDef | Function)
            and not node.name.startswith("_")
            and not (isinstance(holder, ast.ClassDef) and holder.bases and node.name in promised())
        ]
    for node in nodes:
        name = getattr(node, "name", "the module")
        summary, _, rest = (ast.get_docstring(node) or "").partition("\n")
        if not summary:
            yield source.at(node, f"{name} has no docstring")
        elif rest and rest.split("\n")[0].strip():
            yield source.at(node, f"{name}: the summary is not one line")


SHAPE_RULES = (
    no_open_kwargs,
    no_flags,
    sizes_stay_human,
    methods_are_frozen_dataclasses,
    no_super_chains,
    errors_have_codes,
    public_objects_explain_themselves,
)
