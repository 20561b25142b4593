"""Every import of the code, also inside functions, follows the five floors of docs/architecture.md#the-floors."""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN_PACKAGES = ("function_app", "functions", "shared", "emulators", "infra", "local", "benchmarks", "tests")

FLOORS = {
    "function_app": 5,
    "functions": 4,
    "shared.cli": 4,
    "shared.app": 3,
    "shared.doctor": 3,
    "shared.operations": 3,
    "shared.sync": 3,
    "shared.clients": 2,
    "shared.mapping": 2,
    "shared.store": 2,
    "shared.webhook": 2,
    "shared.domain": 1,
    "shared.foundation": 1,
    "shared.settings": 1,
    "shared.transport": 1,
    "shared": 1,
}
"""The floor of each package or module. For a module, the longest name that fits decides."""

SAME_FLOOR = {
    ("shared.clients", "shared.webhook"): "the registration subscribes to the events that the webhook understands",
    ("shared.mapping", "shared.clients"): "what finds and creates records is stated in the forms that the client sends",
    ("shared.app", "shared.sync"): "app connects the sync to its ports",
    ("shared.operations", "shared.app"): "the daily run and the health report use the clients that app connects",
    ("shared.operations", "shared.sync"): "a refused sign-in pauses the side as in any run",
    ("shared.doctor", "shared.app"): "the doctor examines the clients that app connects",
    ("shared.doctor", "shared.operations"): "the doctor names what waits in the words of the command that lets it go",
    ("shared.foundation", "shared.domain"): "a rejection carries the cause",
    ("shared.settings", "shared.foundation"): "a wrong setting raises one of our errors",
    ("shared.transport", "shared.foundation"): "an unreadable trust bundle raises one of our errors",
}
"""The allowed imports within one floor, as importing and imported package, each with its reason."""


def module_names(*folders: str) -> Iterator[str]:
    """The dotted names of all modules in folders and top-level modules."""
    for folder in folders:
        files = (ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / f"{folder}.py"]
        for file in files:
            if "node_modules" not in file.parts:
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports_of(module: str) -> frozenset[str]:
    """Every name of our own packages that a module imports, also inside functions."""
    path = ROOT.joinpath(*module.split("."))
    # A checkout that was updated may keep the empty folder of a package that has become a module.
    file = path / "__init__.py" if (path / "__init__.py").is_file() else path.with_suffix(".py")
    return frozenset(
        name
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for name in _imported_names(node, module)
        if _is_own(name)
    )


def _imported_names(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module} has a relative import, which does not show the floor"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_own(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in OWN_PACKAGES


def package_of(name: str) -> str:
    """The entry of FLOORS to which a module or name belongs."""
    entries = [entry for entry in FLOORS if name == entry or name.startswith(f"{entry}.")]
    return max(entries, key=len)


def product_imports() -> Iterator[tuple[str, str]]:
    """Every import of the product: the importing module and the imported name."""
    for module in module_names("function_app", "functions", "shared"):
        for name in sorted(imports_of(module)):
            yield module, name


def is_import_allowed(module: str, name: str) -> bool:
    importing, imported = package_of(module), package_of(name)
    if importing == imported or (importing, imported) in SAME_FLOOR:
        return True
    return FLOORS[imported] < FLOORS[importing]


def test_every_import_leads_to_a_lower_floor_or_is_listed() -> None:
    within_product = [
        (module, name)
        for module, name in product_imports()
        if not name.startswith(("emulators", "infra", "local", "benchmarks", "tests"))
    ]
    assert [pair for pair in within_product if not is_import_allowed(*pair)] == []


def test_every_module_of_shared_has_a_floor() -> None:
    """A new module directly below `shared` needs an entry in FLOORS."""
    unplaced = {module for module in module_names("shared") if package_of(module) == "shared" and module != "shared"}
    assert unplaced == set()


def test_the_domain_imports_only_itself() -> None:
    forbidden = [
        pair
        for pair in product_imports()
        if package_of(pair[0]) == "shared.domain" and package_of(pair[1]) != "shared.domain"
    ]
    assert forbidden == []


@pytest.mark.parametrize("forbidden", ["emulators", "infra", "local", "benchmarks", "tests"])
def test_the_product_imports_neither_emulators_nor_tools_nor_tests(forbidden: str) -> None:
    assert [pair for pair in product_imports() if pair[1].split(".")[0] == forbidden] == []


def test_emulators_and_tools_do_not_import_the_tests() -> None:
    places = ("emulators", "infra", "local", "benchmarks")
    assert [
        module for module in module_names(*places) if any(name.startswith("tests") for name in imports_of(module))
    ] == []


def test_only_tests_import_the_benchmarks() -> None:
    places = ("emulators", "infra", "local")
    assert [
        module for module in module_names(*places) if any(name.startswith("benchmarks") for name in imports_of(module))
    ] == []


def test_the_benchmarks_import_neither_app_nor_emulators() -> None:
    """They speak with processes of a build, so that they measure an older build by the same code."""
    allowed = ("benchmarks", "local.azurite", "shared.foundation.errors")
    foreign = {
        (module, name)
        for module in module_names("benchmarks")
        for name in imports_of(module)
        if not name.startswith(allowed)
    }
    assert foreign == set()


def test_programs_inside_a_build_import_only_the_standard_library() -> None:
    files = sorted((ROOT / "benchmarks" / "inside").glob("*_process.py"))
    imported = {
        name.partition(".")[0]
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported_names(node, file.stem)
    }
    assert len(files) > 2
    assert imported - sys.stdlib_module_names == set()


def test_the_emulators_import_nothing_of_the_product() -> None:
    """An error that both shared would look right, so the emulators have their own copy of each name they need."""
    foreign = {
        (module, name)
        for module in module_names("emulators")
        for name in imports_of(module)
        if not name.startswith("emulators.")
    }
    assert foreign == set()


def test_the_sync_imports_clients_and_store_only_through_its_ports() -> None:
    forbidden = [
        (module, name)
        for module, name in product_imports()
        if package_of(module) == "shared.sync"
        and not module.endswith("ports")
        and package_of(name) in ("shared.clients", "shared.store")
    ]
    assert forbidden == []


def test_clients_import_neither_deals_nor_each_other() -> None:
    deals = {"deal", "field_rules", "link", "merge", "plan", "records"}
    for module, name in product_imports():
        if package_of(module) != "shared.clients":
            continue
        assert package_of(name) != "shared.domain" or name.split(".")[2] not in deals, (module, name)
        if package_of(name) == "shared.clients":
            importing, imported = module.split("."), name.split(".")
            is_client_package = len(imported) > 3 and (ROOT / "shared/clients" / imported[2]).is_dir()
            assert not is_client_package or importing[2] == imported[2], (module, name)


def module_graph(*folders: str) -> dict[str, set[str]]:
    """The modules that each module imports, also inside functions and for type checking only."""
    modules = set(module_names(*folders))
    graph: dict[str, set[str]] = {}
    for module in modules:
        imported = {_module_of(name, modules) for name in imports_of(module)}
        graph[module] = {each for each in imported if each is not None and each != module}
    return graph


def _module_of(name: str, modules: set[str]) -> str | None:
    """The module that an imported name is, or belongs to; None for a module of another folder."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def package_graph(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The packages that each package imports. A module belongs to its innermost package."""
    packages = {module: _innermost_package(module) for module in modules}
    graph: dict[str, set[str]] = {package: set() for package in packages.values()}
    for module, imported in modules.items():
        graph[packages[module]] |= {packages[each] for each in imported} - {packages[module]}
    return graph


def _innermost_package(module: str) -> str:
    is_package = ROOT.joinpath(*module.split("."), "__init__.py").is_file()
    return module if is_package else module.rpartition(".")[0]


def circles_of(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected components of more than one node: the groups that import each other."""
    reachable = {node: _reachable_from(node, graph) for node in graph}
    return {
        frozenset({node, *(each for each in nodes if node in reachable[each])})
        for node, nodes in reachable.items()
        if node in nodes
    }


def _reachable_from(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


CHECKED_FOR_CIRCLES = ("function_app", "functions", "shared", "local", "emulators", "infra", "benchmarks")


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles_of(module_graph(*CHECKED_FOR_CIRCLES)) == set()


def test_no_packages_import_each_other_in_a_circle() -> None:
    assert circles_of(package_graph(module_graph(*CHECKED_FOR_CIRCLES))) == set()


def test_circles_are_found() -> None:
    """The check sees a circle of modules, and one that exists only between their packages."""
    circle = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles_of(circle) == {frozenset({"a", "b", "c"})}

    modules: dict[str, set[str]] = {"top.one": {"top.inner.two"}, "top.inner.two": {"top.three"}, "top.three": set()}
    assert circles_of(modules) == set()
    assert circles_of(package_graph(modules)) == {frozenset({"top", "top.inner"})}


def test_an_import_of_a_higher_floor_is_not_allowed() -> None:
    assert not is_import_allowed("shared.domain.deal", "shared.mapping.field_types")
    assert not is_import_allowed("shared.clients.salesforce.client", "shared.sync.ports.Write")
    assert not is_import_allowed("shared.mapping.field_types", "shared.store.link_json")
    assert is_import_allowed("shared.sync.runs", "shared.domain.deal.Deal")
