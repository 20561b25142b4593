"""The build before reads every row that this build writes, since a rollback does just that.

A build is the commit that resolves an issue. Its code is taken from the history and runs in a process of its own, on a
store that this build wrote (docs/protocol.md#rows-of-other-builds).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.domain.deal import Side
from shared.domain.link import EffectKind
from shared.domain.link_states import Mark, State
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import CAUSES, SENTENCES, LineDirection
from shared.store.link_store import LinkStore
from shared.store.operator_rows import stored_actions
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import rows_in_order
from shared.store.stored_values import OPERATOR
from tests.earlier_builds import BUILD_BEFORE, unpacked_build
from tests.unit.store import described_store
from tests.unit.store.described_store import BACKFILLED, OPPORTUNITIES, describe_store
from tests.unit.store.representative_store import ACTIONS, OLD_LINE, fill_store

READ = """
import json, sys
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import CAUSES, SENTENCES
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from described_store import describe_store
with SqliteRows(sys.argv[1]) as rows:
    own = {"code": sys.modules["shared"].__file__, "codes": [*CAUSES, *SENTENCES]}
    print(json.dumps({**own, **describe_store(LinkStore(rows))}))
"""

WORK = """
import json, sys
from datetime import UTC, datetime
from io import BytesIO
from shared.domain.deal import Side
from shared.store.import_copy import Import
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import check_copy, write_copy
from shared.store.stored_values import SideState
now, copy = datetime(2026, 12, 3, tzinfo=UTC), BytesIO()
with SqliteRows(sys.argv[1]) as rows, SqliteRows(sys.argv[2]) as empty:
    store = LinkStore(rows)
    for side in Side:
        store.write_side_state(side, SideState(now, "throttled", 2))
        for entry in store.retry_entries(side, now, 100):
            if entry.cause == "operator":
                assert entry.is_failure
                store.remove_retry_entry(entry)
    facts = write_copy(rows, copy, began=now, build="before")
    copy.seek(0)
    moved = Import(empty, check_copy(copy))
    moved.begin(facts.organization)
    copy.seek(0)
    moved.insert_rows(copy)
    moved.finish(now)
print(json.dumps({"code": sys.modules["shared"].__file__, "rows": facts.count}))
"""


@pytest.fixture(scope="module")
def build_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of the build before, and with the module that describes a store."""
    folder = tmp_path_factory.mktemp("build before")
    unpacked_build(BUILD_BEFORE, folder, "shared", "tests/unit/store/stored_store.py")
    source = Path(described_store.__file__).read_text("utf-8")
    (folder / "described_store.py").write_text(source, "utf-8")
    return folder


@pytest.fixture
def filled_store(tmp_path: Path) -> Path:
    """The file of a store that this build wrote."""
    path = tmp_path / "store.sqlite"
    with SqliteRows(path) as rows:
        fill_store(LinkStore(rows))
    return path


def run_build_before(folder: Path, code: str, *paths: Path) -> Any:  # noqa: ANN401 - JSON of any shape
    """Run a text of Python with the code of the build before, and return what it prints."""
    words = [sys.executable, "-c", code, *map(str, paths)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert Path(read.pop("code")).is_relative_to(folder), "the code of the build before ran"
    return read


def own_description(path: Path) -> Any:  # noqa: ANN401 - JSON of any shape
    """What this build reads from a store."""
    with SqliteRows(path) as rows:
        return json.loads(json.dumps(describe_store(LinkStore(rows))))


def as_the_build_before_reads_it(description: Any, codes: set[str]) -> Any:  # noqa: ANN401 - JSON of any shape
    """What this build reads, with a sentence in place of a line that a build with these `codes` cannot show.

    The build before also reads how many calls a side takes at once, which this build stores no more: as many as usual.
    """
    sides = {side: {**state, "parallelism": None} for side, state in description["sides"].items()}
    return {**description, "sides": sides, "audit": shown_lines(description["audit"], codes)}


def shown_lines(audit: Any, codes: set[str]) -> Any:  # noqa: ANN401 - JSON of any shape
    """The audit lines with one of the codes, and the number of the others."""
    shown = {key: [line for line in lines if line["code"] in codes] for key, lines in audit.items()}
    return {key: (shown[key], len(lines) - len(shown[key])) for key, lines in audit.items()}


def test_the_store_holds_every_kind_of_audit_line(filled_store: Path) -> None:
    with SqliteRows(filled_store) as rows:
        lines = LinkStore(rows).audit(OPPORTUNITIES[0])
    assert {line.code for line in lines} == {*SENTENCES, *CAUSES}
    assert {line.direction for line in lines} == {*LineDirection, None}
    assert {line.side for line in lines} == {*Side, None}
    assert lines[-1] == OLD_LINE


def test_the_store_holds_every_state_mark_and_kind_of_effect(filled_store: Path) -> None:
    links = own_description(filled_store)["links"].values()
    assert {link["state"] for link in links} == set(State)
    assert {link["mark"] for link in links} == {None, *Mark}
    assert {effect["kind"] for link in links for effect in link["intent"] or ()} == set(EffectKind)


def what_operators_left(path: Path) -> tuple[Any, Any]:
    """The directions that are paused, and the actions of operators, as this build reads them."""
    with SqliteRows(path) as rows:
        return LinkStore(rows).pauses(), stored_actions(rows)


def test_the_store_holds_what_each_command_of_an_operator_leaves(filled_store: Path) -> None:
    pauses, actions = what_operators_left(filled_store)
    assert set(pauses) == {PUSH, PULL}
    assert [(action.action, action.scope) for action in reversed(actions)] == list(ACTIONS)
    read = own_description(filled_store)
    assert {(side, entry["key"]) for side in Side for entry in read["retry"][side] if entry["cause"] == OPERATOR} == {
        *((side, "asked for") for side in Side),
        (Side.SALESFORCE, BACKFILLED),
    }
    assert read["links"][BACKFILLED]["base"] == {}
    assert read["pointers"]["r-backfilled"]["opportunity"] == BACKFILLED


def test_what_operators_left_stands_after_the_build_before_has_worked_on_the_store(
    build_before: Path, filled_store: Path, tmp_path: Path
) -> None:
    before, restored = what_operators_left(filled_store), tmp_path / "restored.sqlite"
    with SqliteRows(filled_store) as rows:
        entries = len(list(rows_in_order(rows)))
    read = run_build_before(build_before, WORK, filled_store, restored)
    assert read["rows"] == entries - len(("asked for", "asked for", BACKFILLED)), "it takes entries with a new cause"
    assert what_operators_left(filled_store) == what_operators_left(restored) == before


def test_the_build_before_reads_every_row_as_this_build_does(build_before: Path, filled_store: Path) -> None:
    read = run_build_before(build_before, READ, filled_store)
    codes = set(read.pop("codes")) - {"unreadable_line"}
    assert codes <= {*CAUSES, *SENTENCES}, "this build removed no code"
    read["audit"] = shown_lines(read["audit"], codes)
    assert read == as_the_build_before_reads_it(own_description(filled_store), codes)
