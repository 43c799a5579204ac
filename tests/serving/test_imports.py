"""Every name is imported from where it lies, so that whoever moves it finds all who use it."""

import ast
from pathlib import Path

import pytest

import serving

FOLDER = Path(serving.__file__).parent
ROOT = FOLDER.parent


def file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def names(node: ast.stmt) -> set[str]:
    """What a statement at the top of a module gives names to; `__all__` says what is handed on by intent."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    found = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    if found == {"__all__"} and isinstance(node, ast.Assign):
        found |= set(ast.literal_eval(node.value))
    return found


def defined(file: Path) -> set[str]:
    found = {other.stem for other in file.parent.iterdir()} if file.name == "__init__.py" else set[str]()
    return found.union(*map(names, ast.parse(file.read_text(encoding="utf-8")).body))


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_names_are_imported_from_the_module_that_has_them(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "serving":
            assert {alias.name for alias in node.names} <= defined(file_of(node.module or "")), node.module
