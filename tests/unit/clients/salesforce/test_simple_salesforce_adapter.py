"""The adapter relies on the layout of simple-salesforce. If an update changes it, these tests say what changed.

What to do then: read the library's new `__init__.py` and `api.py`, and correct `REPLACED_CLASSES` in the adapter.
"""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from shared.clients.salesforce.simple_salesforce_adapter import REPLACED_CLASSES, load_library

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
SPEC = find_spec("simple_salesforce")
assert SPEC is not None
assert SPEC.origin is not None
LIBRARY = Path(SPEC.origin).parent
INSTALLED = f"simple-salesforce {version('simple-salesforce')}"


def parsed(module: str) -> ast.Module:
    return ast.parse((LIBRARY / f"{module}.py").read_text("utf-8"))


def imports_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The module and the name of every import, wherever it stands; a whole module has the name `*`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((str(node.module or ""), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names)


def imports_of_replaced_parts(module: str) -> set[tuple[str, str]]:
    """The submodule and the name of every import that `module` takes from a replaced part."""
    local = {
        (origin.removeprefix("simple_salesforce").removeprefix(".") or name, name)
        for origin, name in imports_in(parsed(module))
    }
    return {(part, name) for part, name in local if part in REPLACED_CLASSES}


def output_of(*statements: str) -> list[str]:
    """The lines that a fresh process prints: in this one, another test may have imported the library already."""
    process = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", "\n".join(statements)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return process.stdout.splitlines()


# --- what the adapter relies on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "class_name"), REPLACED_CLASSES.items())
def test_each_replaced_part_exists_and_defines_its_class(part: str, class_name: str) -> None:
    assert (LIBRARY / f"{part}.py").is_file(), f"{INSTALLED} has no module {part}: the adapter replaces nothing"
    classes = {node.name for node in parsed(part).body if isinstance(node, ast.ClassDef)}
    assert class_name in classes, f"{INSTALLED}: {part}.py defines {sorted(classes)}, but not {class_name}"


def test_the_library_imports_exactly_the_replaced_classes() -> None:
    """One import more would fail at run time; one less means that a replacement has become useless."""
    modules = {path.stem for path in LIBRARY.glob("*.py")} - set(REPLACED_CLASSES)
    imported = {each for module in modules for each in imports_of_replaced_parts(module)}
    assert imported == set(REPLACED_CLASSES.items()), f"{INSTALLED} imports other names from the replaced parts"


@pytest.mark.parametrize("module", ["__init__", "api"])
def test_the_package_and_its_client_class_import_replaced_parts(module: str) -> None:
    """Otherwise nothing would have to be replaced."""
    assert imports_of_replaced_parts(module), f"{INSTALLED}: {module}.py imports no part that the adapter replaces"


def test_only_replaced_parts_import_slow_packages() -> None:
    slow = {"zeep", "lxml", "more_itertools"}
    importers = {
        path.stem
        for path in LIBRARY.glob("*.py")
        for origin, _ in imports_in(parsed(path.stem))
        if origin.partition(".")[0] in slow
    }
    assert importers <= set(REPLACED_CLASSES), f"{INSTALLED}: {sorted(importers)} import some of {sorted(slow)}"
    assert "metadata" in importers, f"{INSTALLED}: metadata.py no longer imports zeep, so it need not be replaced"


def test_the_client_class_takes_what_the_adapter_passes() -> None:
    library = load_library()
    constructor = set(inspect.signature(library.__init__).parameters)
    needed = {"session_id", "instance_url", "session", "version", "parse_float", "object_pairs_hook"}
    assert needed <= constructor, f"{INSTALLED}: Salesforce() lacks {sorted(needed - constructor)}"
    restful = inspect.signature(library.restful).parameters
    assert {"path", "method", "kwargs"} <= set(restful), f"{INSTALLED}: restful({', '.join(restful)})"


def test_an_error_of_the_library_carries_the_content_of_the_answer() -> None:
    load_library()
    from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415 - after load_library, as in the adapter

    assert SalesforceError("https://x", 400, "name", b"[]").content == b"[]"


# --- what the adapter achieves ----------------------------------------------------------------------------------------


def test_importing_the_client_does_not_import_the_library() -> None:
    lines = output_of(
        "import sys, shared.clients.salesforce.client",
        "print('simple_salesforce' in sys.modules, 'jwt' in sys.modules)",
    )
    assert lines == ["False False"]


def test_loading_the_library_loads_none_of_the_slow_packages() -> None:
    lines = output_of(
        "import sys",
        "from shared.clients.salesforce.simple_salesforce_adapter import load_library",
        "print(load_library())",
        "print(sorted({'zeep', 'lxml', 'more_itertools'} & {name.partition('.')[0] for name in sys.modules}))",
    )
    assert lines == ["<class 'simple_salesforce.api.Salesforce'>", "[]"]


def test_whoever_imports_a_replaced_part_later_receives_the_real_one() -> None:
    lines = output_of(
        "import importlib",
        "from shared.clients.salesforce.simple_salesforce_adapter import REPLACED_CLASSES, load_library",
        "load_library()",
        "for part, name in REPLACED_CLASSES.items():",
        "    print(getattr(importlib.import_module(f'simple_salesforce.{part}'), name))",
    )
    assert lines == [f"<class 'simple_salesforce.{part}.{name}'>" for part, name in REPLACED_CLASSES.items()]


def test_no_other_module_of_the_product_imports_the_library() -> None:
    modules = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py"), ROOT / "function_app.py"]
    importers = {
        str(path.relative_to(ROOT))
        for path in modules
        for origin, _ in imports_in(ast.parse(path.read_text("utf-8")))
        if origin.partition(".")[0] == "simple_salesforce"
    }
    assert importers == {"shared/clients/salesforce/simple_salesforce_adapter.py"}
