"""`cosell forget`: it lists, asks, erases, and says what is left to do."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.forget import run_forget
from shared.cli.output import Output
from shared.domain.deal import Deal, Person
from shared.domain.erasure import Erasures
from shared.domain.link import Intent, Link
from shared.domain.link_states import State
from shared.foundation.errors import ConfigurationError
from shared.operations.copy_store import copies_of, read_erasures

EMAIL = "kim@northwind.example"
BASE = Deal(contacts=(Person("Berg", "Kim", EMAIL),), notes="Kim Berg is away.")
CLOSED = Link("006000000000001AAA", State.CLOSED, base=BASE)
OPEN = Link("006000000000002AAA", base=BASE)


@pytest.fixture(autouse=True)
def _store(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store of the command's environment."""
    del systems  # sets the environment
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "store.sqlite"))


def put(*links: Link) -> None:
    with closing(App()) as app:
        for link in links:
            app.store.insert_link(link)


def stored(key: str) -> Link:
    with closing(App()) as app:
        entry = app.store.link(key)
        assert entry is not None
        return entry.value


def run(
    capsys: pytest.CaptureFixture[str], *, yes: bool = True, dry_run: bool = False, also: Sequence[str] = ()
) -> tuple[Exit, dict[str, Any]]:
    code = run_forget(Output(as_json=True), EMAIL, also, yes=yes, dry_run=dry_run)
    printed = capsys.readouterr()
    return code, {**json.loads(printed.out), "said": printed.err}


def test_after_a_yes_the_values_are_gone(capsys: pytest.CaptureFixture[str]) -> None:
    put(CLOSED)
    code, document = run(capsys)
    assert (code, document["ok"], document["erased"], document["busy"]) == (Exit.OK, True, True, [])
    (place,) = document["places"]
    assert (place["key"], place["fields"], place["is_open"]) == (CLOSED.opportunity_id, ["contacts", "notes"], False)
    assert stored(CLOSED.opportunity_id).base == Deal()
    assert "Salesforce and Partner Center are not edited" in document["said"]
    assert run(capsys)[1]["places"] == []


@pytest.mark.parametrize(("dry_run", "code"), [(True, Exit.OK), (False, Exit.PROBLEM)])
def test_without_a_yes_nothing_is_erased(capsys: pytest.CaptureFixture[str], *, dry_run: bool, code: Exit) -> None:
    put(CLOSED)
    found, document = run(capsys, yes=False, dry_run=dry_run)
    assert (found, document["erased"], len(document["places"])) == (code, False, 1)
    assert stored(CLOSED.opportunity_id) == CLOSED


def test_open_deals_are_named_because_the_next_look_stores_the_person_again(capsys: pytest.CaptureFixture[str]) -> None:
    put(OPEN)
    code, document = run(capsys)
    assert (code, document["ok"]) == (Exit.PROBLEM, False)
    assert f"both systems may hold the person: {OPEN.opportunity_id}" in " ".join(document["said"].split())
    assert stored(OPEN.opportunity_id).base == Deal(contacts=None)


def test_a_busy_pair_is_named_and_the_exit_code_says_to_try_again(capsys: pytest.CaptureFixture[str]) -> None:
    put(CLOSED, Link("006000000000003AAA", State.CLOSED, base=BASE, intent=Intent()))
    code, document = run(capsys)
    assert (code, document["busy"]) == (Exit.RETRY, ["006000000000003AAA"])
    assert stored(CLOSED.opportunity_id).base == Deal()


def test_a_further_name_is_erased_too(capsys: pytest.CaptureFixture[str]) -> None:
    put(Link("006000000000004AAA", State.CLOSED, base=Deal(notes="Ask Kimmy the chief.")))
    assert run(capsys)[1]["places"] == []
    assert len(run(capsys, also=["kimmy the CHIEF"])[1]["places"]) == 1
    assert stored("006000000000004AAA").base == Deal()


def test_what_was_erased_is_kept_beside_the_copies(capsys: pytest.CaptureFixture[str]) -> None:
    put(CLOSED)
    run(capsys)
    with closing(App()) as app:
        assert read_erasures(copies_of(app)) == app.store.erasures() != Erasures()


def test_a_place_of_copies_that_does_not_answer_stops_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "store.sqlite.copies").write_text("in the way", encoding="utf-8")
    put(CLOSED)
    code, document = run(capsys)
    assert (code, "with its next copy" in " ".join(document["said"].split())) == (Exit.OK, True)
    assert stored(CLOSED.opportunity_id).base == Deal()


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no e-mail address"):
        run_forget(Output(as_json=True), "Kim Berg", yes=True, dry_run=False)
