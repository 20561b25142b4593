"""State shows: a pair changes in one module, one place plans, and a function that asks changes nothing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.sync.pair_lease import Pair
from shared.sync.pending_lines import PendingLines

ROOT = Path(__file__).parents[3]
SYNC = sorted((ROOT / "shared/sync").glob("*.py"))
PRODUCT = sorted((ROOT / "shared").rglob("*.py"))
QUESTION = re.compile(r"_?(is|has|may|must|needs|can|asks|owns|refuses|shows|differs)_")
CHANGING_CALL = re.compile(
    r"(append|add|clear|delete|discard|end|extend|insert|log|move|pop|put|record|release|remove|take|write)(_|$)"
    r"|(replace|set)_"
)


def changes_in(tree: ast.AST) -> Iterator[str]:
    """The code that sets an attribute or an item, or calls a method that changes something by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and CHANGING_CALL.match(ast.unparse(node.func).rpartition(".")[2]):
            yield ast.unparse(node.func)


def functions_of(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def test_only_the_module_of_the_lease_changes_the_state_of_a_pair() -> None:
    """Whoever reads `pair_lease.py` knows every way in which the state of a pair changes."""
    state = {*Pair.__struct_fields__, *PendingLines.__struct_fields__} - {"entry"}  # a claim has an entry of its own
    stores = [
        f"{file.name}: {ast.unparse(node)}"
        for file in SYNC
        if file.name not in ("pair_lease.py", "pending_lines.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in state
    ]
    assert stores == []


def test_one_place_plans() -> None:
    """Whoever wants to know what would be done lets the engine plan, as a preview does."""
    callers = [
        (file.name, function.name)
        for file in SYNC
        for function in functions_of(file)
        if any(isinstance(node, ast.Name) and node.id == "plan_pair" for node in ast.walk(function))
    ]
    assert callers == [("decide_pair.py", "make_plan")]


def test_a_function_with_the_name_of_a_question_changes_nothing() -> None:
    found = {
        f"{file.relative_to(ROOT)}: {function.name}": changes
        for file in PRODUCT
        for function in functions_of(file)
        if QUESTION.match(function.name) and (changes := list(changes_in(function)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "code", ["pair.plan = None", "notes.pop()", "ctx.store.put_retry_entry(entry)", "del a[0]", "record_intent()"]
)
def test_a_change_is_recognised(code: str) -> None:
    assert len(list(changes_in(ast.parse(code)))) == 1
