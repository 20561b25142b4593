"""Imports of the Salesforce emulator run one way: from the top modules down to `data`, and never in a circle.

Imports inside functions and below TYPE_CHECKING count too.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PACKAGE = "emulators.salesforce"
LAYERS = {"data": 0, "query": 1, "metadata": 1, "rest": 2, "": 3}
"""The layer of each group; the modules directly below the package, "", stand at the top."""


def _file_of_module(name: str) -> Path:
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _modules() -> list[str]:
    files = (ROOT / "emulators" / "salesforce").rglob("*.py")
    names = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files)
    return sorted(name.removesuffix(".__init__") for name in names)


def _imported_modules(module: str) -> set[str]:
    """The modules of the emulator that a module names in its imports."""
    names = set()
    for node in ast.walk(ast.parse(_file_of_module(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if _file_of_module(name).is_file() else str(node.module) for name in submodules}
    return {name for name in names if name == PACKAGE or name.startswith(f"{PACKAGE}.")}


def _group(module: str) -> str:
    """The group of a module, such as `data`; empty for a module directly below the package."""
    parts = module.removeprefix(PACKAGE).strip(".").split(".")
    return parts[0] if parts[0] in LAYERS else ""


def _is_allowed(importer: str, imported: str) -> bool:
    origin, target = _group(importer), _group(imported)
    return origin == target or LAYERS[target] < LAYERS[origin]


def _check_circles(imports: dict[str, set[str]]) -> None:
    """Raise CycleError, with the circle, if the imports have one."""
    TopologicalSorter(imports).prepare()


IMPORTS = {module: _imported_modules(module) for module in _modules()}


def test_no_modules_import_each_other_in_a_circle() -> None:
    _check_circles(IMPORTS)


def test_every_import_between_groups_runs_down() -> None:
    wrong = [(origin, name) for origin, names in IMPORTS.items() for name in names if not _is_allowed(origin, name)]
    assert sorted(wrong) == []


def test_every_group_has_a_layer() -> None:
    folders = (ROOT / "emulators" / "salesforce").glob("*/__init__.py")
    assert {folder.parent.name for folder in folders} == set(LAYERS) - {""}


def test_the_checks_see_the_imports_that_exist() -> None:
    assert f"{PACKAGE}.data.org" in IMPORTS[f"{PACKAGE}.query.engine"]
    assert f"{PACKAGE}.emulated_org" in IMPORTS[f"{PACKAGE}.control_api"]
    assert f"{PACKAGE}.emulator" in IMPORTS[PACKAGE]


def test_the_checks_would_refuse_a_circle_and_an_upward_import() -> None:
    with pytest.raises(CycleError):
        _check_circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    for importer, imported in (
        ("data.validation_rules", "metadata.component_xml"),
        ("query.engine", "metadata.package"),
        ("metadata.deployments", "rest.call"),
        ("rest.routes", "emulator"),
    ):
        assert not _is_allowed(f"{PACKAGE}.{importer}", f"{PACKAGE}.{imported}")
    assert not _is_allowed(f"{PACKAGE}.rest.routes", PACKAGE)
