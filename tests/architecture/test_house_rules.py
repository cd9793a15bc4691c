"""The rules that no linter knows: lengths, names, and a plate on every door.

Each rule is a function from one parsed file to the sentences it has to say against it, so that the
rules themselves can be tried on small sins below.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILDINGS = ("sync_protocol", "device_home", "edge_node", "mobile_app", "central_hub")
FUNCTION_LINES_MAX = 50  # one screen
MODULE_LINES_MAX = 400
BANNED_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "lib", "types"}
    | {"constants", "manager", "handler", "service", "data"}
)

Rule = Callable[[Path, str, ast.Module], Iterator[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def function_fits_a_screen(_path: Path, _text: str, tree: ast.Module) -> Iterator[str]:
    """A function has at most 50 lines; its docstring isn't counted."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and (length := _lines_of(node)) > FUNCTION_LINES_MAX:
            yield f"{node.lineno}: {node.name} has {length} lines, not {FUNCTION_LINES_MAX}"


def module_fits_a_sitting(_path: Path, text: str, _tree: ast.Module) -> Iterator[str]:
    """A module has at most 400 lines."""
    length = len(text.splitlines())
    if length > MODULE_LINES_MAX:
        yield f"1: {length} lines, not {MODULE_LINES_MAX}"


def name_says_what_is_inside(path: Path, _text: str, _tree: ast.Module) -> Iterator[str]:
    """No module or package is a drawer that says nothing about what lies in it."""
    name = path.parent.name if path.stem == "__init__" else path.stem
    if name.strip("_") in BANNED_NAMES:
        yield f"1: a module named {name!r} doesn't say what is kept in it"


def nothing_is_asserted(_path: Path, _text: str, tree: ast.Module) -> Iterator[str]:
    """Android builds strip assert statements, so a check must be an `if` that raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield f"{node.lineno}: an assert vanishes on the tablet; raise AssertionError instead"


def imports_are_absolute_and_named(_path: Path, _text: str, tree: ast.Module) -> Iterator[str]:
    """No relative import and no star: the reader sees where each name comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield f"{node.lineno}: relative import"
            if any(alias.name == "*" for alias in node.names):
                yield f"{node.lineno}: star import"


def door_has_a_plate(_path: Path, _text: str, tree: ast.Module) -> Iterator[str]:
    """Every module, and so every package's __init__, opens with a docstring."""
    if not (ast.get_docstring(tree) or "").strip():
        yield "1: no module docstring"


RULES: tuple[Rule, ...] = (
    function_fits_a_screen,
    module_fits_a_sitting,
    name_says_what_is_inside,
    nothing_is_asserted,
    imports_are_absolute_and_named,
    door_has_a_plate,
)


def _lines_of(node: Function) -> int:
    """Count the lines of a function from `def` to its end, less its docstring."""
    if node.end_lineno is None:
        raise AssertionError(node.name)
    length = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        length -= first.end_lineno - first.lineno + 1
    return length


def _shipped_modules() -> list[Path]:
    return sorted(path for building in BUILDINGS for path in (ROOT / building).rglob("*.py"))


def _complaints(rule: Rule, path: Path, text: str) -> list[str]:
    return [f"{path}:{complaint}" for complaint in rule(path, text, ast.parse(text))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_shipped_module_keeps_the_rule(rule: Rule) -> None:
    complaints = [
        complaint
        for path in _shipped_modules()
        for complaint in _complaints(rule, path.relative_to(ROOT), path.read_text("utf-8"))
    ]
    assert not complaints, f"{rule.__doc__}\n" + "\n".join(complaints)


def test_every_folder_with_modules_is_a_package() -> None:
    bare = {
        path.parent.relative_to(ROOT)
        for path in _shipped_modules()
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare, f"no __init__.py, so it is neither shipped nor checked: {bare}"


def test_all_four_buildings_stand() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in _shipped_modules()} == set(BUILDINGS)


def _function(lines: int, docstring_lines: int = 0) -> str:
    docstring = ['    """First.', *["    More."] * (docstring_lines - 2), '    """']
    body = [*(docstring if docstring_lines else []), *["    pass"] * (lines - 1)]
    return "\n".join(['"""Plate."""', "def walk():", *body])


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (function_fits_a_screen, "a.py", _function(51)),
        (function_fits_a_screen, "a.py", _function(51).replace("def", "async def")),
        (module_fits_a_sitting, "a.py", "\n" * 401),
        (name_says_what_is_inside, "log/utils.py", ""),
        (name_says_what_is_inside, "log/_helpers.py", ""),
        (name_says_what_is_inside, "core/__init__.py", ""),
        (nothing_is_asserted, "a.py", "if True:\n    assert 1"),
        (imports_are_absolute_and_named, "a.py", "from .b import c"),
        (imports_are_absolute_and_named, "a.py", "from b import *"),
        (door_has_a_plate, "a.py", "x = 1"),
        (door_has_a_plate, "__init__.py", '"""  """'),
    ],
)
def test_a_rule_catches_the_sin_it_is_for(rule: Rule, path: str, text: str) -> None:
    assert len(_complaints(rule, Path(path), text)) == 1


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (function_fits_a_screen, "a.py", _function(50)),
        (function_fits_a_screen, "a.py", _function(50, docstring_lines=30)),
        (module_fits_a_sitting, "a.py", "\n" * 400),
        (name_says_what_is_inside, "database/__init__.py", ""),
    ],
)
def test_a_rule_leaves_the_lawful_alone(rule: Rule, path: str, text: str) -> None:
    assert not _complaints(rule, Path(path), text)
