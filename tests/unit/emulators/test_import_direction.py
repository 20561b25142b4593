"""Imports between the emulators run in one direction: there is no circle, and nothing of the product is imported.

Every import counts, also inside functions and under TYPE_CHECKING.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
OWN_PACKAGES = frozenset(
    path.stem if path.is_file() else path.name
    for path in ROOT.iterdir()
    if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
)
"""The packages and modules of this repository. Any other import is a library."""

type Graph = Mapping[str, frozenset[str]]


def find_modules() -> Mapping[str, Path]:
    """Return the modules of all emulators by their dotted name. A package has the name of its `__init__.py`."""
    files = sorted((ROOT / "emulators").rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imported_names(file: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, with the imported name as its last part."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_module(name: str, modules: Mapping[str, Path]) -> str | None:
    """Return the module that a dotted name is, or is defined in; None if it is not one of `modules`."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


@cache
def import_graph() -> Graph:
    """Return for each module of the emulators the other modules that it imports."""
    modules = find_modules()
    return {
        module: frozenset(
            target
            for name in imported_names(file)
            if (target := find_module(name, modules)) is not None and target != module
        )
        for module, file in modules.items()
    }


def package_graph(graph: Graph) -> Graph:
    """Return for each emulator, such as `emulators.entra`, the other emulators that its modules import."""
    packages: dict[str, set[str]] = {}
    for module, targets in graph.items():
        imported = {package_of(target) for target in targets}
        packages.setdefault(package_of(module), set()).update(imported - {package_of(module)})
    return {package: frozenset(imported) for package, imported in packages.items()}


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def reachable_from(start: str, graph: Graph) -> set[str]:
    """Return every node to which a path of at least one edge leads from `start`."""
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += graph[node]
    return reached


def find_circles(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components that have more than one node, or a node that imports itself."""
    reachable = {node: reachable_from(node, graph) for node in graph}
    components = {
        frozenset(other for other in reached if node in reachable[other])
        for node, reached in reachable.items()
        if node in reached
    }
    return sorted(sorted(component) for component in components)


def test_no_two_modules_of_the_emulators_import_each_other() -> None:
    assert find_circles(import_graph()) == []


def test_no_two_emulators_import_each_other() -> None:
    assert find_circles(package_graph(import_graph())) == []


def test_the_base_imports_no_emulator() -> None:
    graph = package_graph(import_graph())
    assert graph["emulators.base"] == frozenset()


def test_entra_does_not_import_partner_center() -> None:
    """Partner Center checks tokens of Entra ID, so its package may import the other one."""
    graph = package_graph(import_graph())
    assert "emulators.partner_center" not in graph["emulators.entra"]
    assert "emulators.entra" in graph["emulators.partner_center"]


def test_the_emulators_import_nothing_of_the_product() -> None:
    """A mistake that both made in the same way would look right, so the emulators share no code with the product."""
    assert {"emulators", "functions", "infra", "local", "shared", "tests"} <= OWN_PACKAGES
    foreign = {
        (module, name)
        for module, file in find_modules().items()
        for name in imported_names(file)
        if name.split(".")[0] in OWN_PACKAGES - {"emulators"}
    }
    assert foreign == set()


def test_a_circle_would_be_found() -> None:
    graph = {
        "a": frozenset({"b"}),
        "b": frozenset({"c"}),
        "c": frozenset({"b", "d"}),
        "d": frozenset[str](),
        "e": frozenset({"f", "a"}),
        "f": frozenset({"e"}),
    }
    assert find_circles(graph) == [["b", "c"], ["e", "f"]]
