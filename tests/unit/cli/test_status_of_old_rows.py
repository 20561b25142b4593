"""`cosell status` of rows without a time, as earlier builds stored them: it says that the time is unknown."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.status import run_status
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.operations.status_report import status_report
from shared.store.stored_values import OPERATOR, RetryEntry
from tests.unit.cli.golden_text import golden_output

HELD, ASKED = "006AA0000000001AAA", "006AA0000000002AAA"
CAUSE = Cause("missing_country", "account", "The account has no country.", "Please enter a country.")
REFUSED = Cause("ENTITY_IS_LOCKED", None, "The record is locked.", "Unlock it.")


@pytest.fixture
def app(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("SYNC", "on")
    assert systems.environ
    with closing(App()) as app:
        yield app


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> list[str]:
    capsys.readouterr()
    run_status(golden_output(), *command)
    return capsys.readouterr().out.splitlines()


def test_a_row_without_a_time_is_of_unknown_age(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.store.insert_link(Link(HELD, State.HELD, cause=CAUSE))
    app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, HELD, datetime.now(UTC), "held", 2))
    lines = printed(capsys)
    assert f"   {HELD}, since unknown" in lines
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    sides = {row[0]: row[-1] for row in rows if row[0] in ("Salesforce", "Partner Center")}
    assert sides == {"Salesforce": "unknown", "Partner Center": ""}, "nothing waits for Partner Center"
    assert any("In the retry queue: since unknown, 2 tries, " in line for line in printed(capsys, HELD))


def test_a_request_without_a_time_says_so(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, ASKED, datetime.now(UTC), OPERATOR))
    assert f"   {ASKED}: by cosell backfill --env local, at an unknown time" in printed(capsys)


def test_a_record_that_is_refused_as_a_whole_waits_as_long_as_its_retry_entry(app: App) -> None:
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    app.store.insert_link(Link(HELD, State.PARKED, cause=REFUSED))
    app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, HELD, datetime.now(UTC), "held", since=since))
    (group,) = status_report(app).groups
    assert (group.kind, group.oldest) == ("parked", since)
