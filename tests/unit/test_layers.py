"""The five floors of design.md section 3, held against every import of the code, those inside functions included."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("function_app", "functions", "shared", "emulators", "infra", "local", "tests")

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
"""The package or module, and its floor; the longest name that fits decides."""

SAME_FLOOR = {
    ("shared.clients", "shared.webhook"): "the registration subscribes to the events that the webhook understands",
    ("shared.app", "shared.sync"): "app wires what sync is given",
    ("shared.operations", "shared.app"): "the daily run and the health answer use what app has wired",
    ("shared.operations", "shared.sync"): "a refused sign-in pauses the side as in any run",
    ("shared.doctor", "shared.app"): "the doctor examines what app has wired",
    ("shared.foundation", "shared.domain"): "a rejection carries the cause",
    ("shared.settings", "shared.foundation"): "a wrong setting is an error of our tree",
    ("shared.transport", "shared.foundation"): "a trust bundle that cannot be read is an error of our tree",
}
"""Arrows between two rooms of one floor, each with its reason; all others are forbidden."""


def modules(*folders: str) -> Iterator[str]:
    for folder in folders:
        files = (ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / f"{folder}.py"]
        for file in files:
            if "node_modules" not in file.parts:
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(module: str) -> frozenset[str]:
    """Every module or name of ours that a module imports, wherever in its text."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return frozenset(
        name for node in ast.walk(ast.parse(file.read_text("utf-8"))) for name in _named(node, module) if _is_ours(name)
    )


def _named(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module} imports relatively: absolute imports show the floor"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in OURS


def room(name: str) -> str:
    """The entry of FLOORS that a module or name belongs to."""
    fitting = [entry for entry in FLOORS if name == entry or name.startswith(f"{entry}.")]
    return max(fitting, key=len)


def arrows() -> Iterator[tuple[str, str]]:
    for module in modules("function_app", "functions", "shared"):
        for name in sorted(imports(module)):
            yield module, name


def is_allowed(module: str, name: str) -> bool:
    origin, target = room(module), room(name)
    if origin == target or (origin, target) in SAME_FLOOR:
        return True
    return FLOORS[target] < FLOORS[origin]


def test_every_arrow_runs_down() -> None:
    ours = [
        (module, name) for module, name in arrows() if not name.startswith(("emulators", "infra", "local", "tests"))
    ]
    assert [arrow for arrow in ours if not is_allowed(*arrow)] == []


def test_every_room_has_its_floor_spelled_out() -> None:
    """A new module directly below `shared` gets a floor here before it is imported by anybody."""
    unplaced = {module for module in modules("shared") if room(module) == "shared" and module != "shared"}
    assert unplaced == set()


def test_the_domain_imports_nothing_of_ours_but_itself() -> None:
    strangers = [arrow for arrow in arrows() if room(arrow[0]) == "shared.domain" and room(arrow[1]) != "shared.domain"]
    assert strangers == []


@pytest.mark.parametrize("forbidden", ["emulators", "infra", "local", "tests"])
def test_the_product_imports_neither_the_emulators_nor_the_tests(forbidden: str) -> None:
    assert [arrow for arrow in arrows() if arrow[1].split(".")[0] == forbidden] == []


def test_the_emulators_do_not_import_the_tests() -> None:
    places = ("emulators", "infra", "local")
    assert [module for module in modules(*places) if any(name.startswith("tests") for name in imports(module))] == []


def _module(name: str) -> str | None:
    """The module that a name of ours is, or stands in."""
    path = ROOT.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
        return name
    return _module(name.rpartition(".")[0]) if "." in name else None


def test_sync_sees_clients_and_store_only_through_its_ports() -> None:
    behind = [
        (module, name)
        for module, name in arrows()
        if room(module) == "shared.sync"
        and module != "shared.sync.ports"
        and room(name) in ("shared.clients", "shared.store")
    ]
    assert behind == []


def test_clients_know_neither_deals_nor_each_other() -> None:
    deals = {"deal", "link", "merge", "plan", "records", "rules"}
    for module, name in arrows():
        if room(module) != "shared.clients":
            continue
        assert room(name) != "shared.domain" or name.split(".")[2] not in deals, (module, name)
        if room(name) == "shared.clients":
            origin, target = module.split("."), name.split(".")
            assert len(target) < 4 or not (ROOT / "shared/clients" / target[2]).is_dir() or origin[2] == target[2], (
                module,
                name,
            )


def test_an_arrow_upwards_would_be_seen() -> None:
    assert not is_allowed("shared.domain.deal", "shared.mapping.field_types")
    assert not is_allowed("shared.clients.salesforce.client", "shared.sync.ports.Write")
    assert not is_allowed("shared.mapping.field_types", "shared.store.link_json")
    assert is_allowed("shared.sync.runs.push", "shared.domain.deal.Deal")
