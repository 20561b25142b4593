"""`cosell status ID` marks as different what `cosell compare` lists, and nothing else."""

import json
from collections.abc import Mapping
from contextlib import closing
from copy import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.systems import REST_SECONDS, Systems
from shared.app import App
from shared.cli.compare import run_command_compare
from shared.cli.output import Output
from shared.cli.status import run_status
from shared.domain.deal import Money, Side, Value, fingerprint
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.store.stored_values import RetryEntry
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import golden_output

SENT, THERE = date(2027, 3, 31), date(2027, 5, 5)
REFUSED = Difference(fingerprint(SENT), "refused_by_partner_center", datetime(2026, 12, 3, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _changes_are_settled_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SYNC", "on"), ("STORE_FILE", str(tmp_path / "both.sqlite"))):
        monkeypatch.setenv(name, value)
    for module in ("domain.compared", "operations.compare_pairs", "operations.pair_fields"):
        monkeypatch.setattr(f"shared.{module}.GRACE", timedelta(seconds=-60))


@pytest.fixture
def deal(systems: Systems) -> str:
    """A deal whose amount differs for no known reason, and whose closing date Partner Center has refused."""
    deal = systems.seller_creates("Both", Amount=25_000, CloseDate=SENT.isoformat())
    for _ in range(2):
        with closing(App()) as app:
            run_push(app.context)
    (referral,) = systems.partner_center.referrals()
    edits = {"/details/dealValue": 31_000, "/details/closingDateTime": f"{THERE.isoformat()}T00:00:00Z"}
    operations = [{"op": "replace", "path": path, "value": value} for path, value in edits.items()]
    systems.partner_center.portal_edits(referral["id"], operations)
    agreed: dict[str, Value] = {"money": Money(Decimal(28_000), "USD"), "closing": THERE}
    change_link(deal, agreed, refused={"partner_center.closing": REFUSED})
    return deal


def change_link(deal: str, agreed: Mapping[str, Value] | None = None, **values: Any) -> None:  # noqa: ANN401 - of a link
    """Let the store hold another link than the sync has stored."""
    with closing(App()) as app:
        entry = app.store.link(deal)
        assert entry is not None
        link: Link = replace(entry.value, base=entry.value.base.with_values(agreed or {}), **values)
        app.store.replace_link(entry, link)


def compared(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The fields that `cosell compare` lists."""
    run_command_compare(Output(as_json=True), repair=False)
    findings = json.loads(capsys.readouterr().out)["findings"]
    return [drift["field"] for finding in findings for drift in finding["drift"]]


def shown(deal: str, capsys: pytest.CaptureFixture[str]) -> tuple[Mapping[str, str], dict[str, Any]]:
    """How each field stands that is not the same on both sides, and the whole document of `cosell status ID`."""
    run_status(Output(as_json=True), deal)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert all(one["differs"] is (one["standing"] == "differs") for one in document["fields"])
    return {one["field"]: one["standing"] for one in document["fields"] if one["standing"] != "same"}, document


def test_both_say_the_same_of_the_same_field(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    standings, document = shown(deal, capsys)
    assert standings == {"money": "differs", "closing": "on_file"}
    assert compared(capsys) == ["money"]
    assert document["compare_says"] == ""
    run_status(golden_output(), deal)
    printed = capsys.readouterr().out
    marks = {line.split("│")[2].strip(): line.split("│")[1].strip() for line in printed.splitlines() if "│" in line}
    assert (marks["Amount"], marks["Close Date"], marks["Opportunity Name"]) == ("≠", "!", "")
    assert "   Close Date: Partner Center refused the later value (refused_by_partner_center)." in printed


def test_a_value_on_file_that_another_has_replaced_differs_for_both(
    deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_link(deal, refused={"partner_center.closing": replace(REFUSED, value="0" * 16)})
    standings, document = shown(deal, capsys)
    assert sorted(standings) == sorted(compared(capsys)) == ["closing", "money"]
    assert {one["why"] for one in document["fields"] if one["differs"]} == {""}


def test_a_value_that_the_mass_change_stop_holds_back_is_on_file(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    change_link(deal, refused={}, waiting={"partner_center.closing": replace(REFUSED, code="mass_change")})
    standings, document = shown(deal, capsys)
    assert standings == {"money": "differs", "closing": "on_file"}
    assert compared(capsys) == ["money"]
    (closing_date,) = [one for one in document["fields"] if one["field"] == "closing"]
    assert closing_date["note"] == "mass_change"
    assert closing_date["why"].endswith("so it waits until an operator approves it")


def test_of_a_deal_on_which_the_app_works_both_call_nothing_different(
    deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_link(deal, intent=Intent((Effect(EffectKind.MARK_OPPORTUNITY),)))
    standings, document = shown(deal, capsys)
    assert set(standings.values()) == {"at_rest"}
    assert compared(capsys) == []
    assert {one["why"] for one in document["fields"] if one["field"] == "money"} == {"the deal is not kept in step now"}


@pytest.mark.parametrize(
    ("why", "said"),
    [("young", "A change of the last hour"), ("queued", "The retry queue has"), ("unread", "no push has")],
)
def test_status_says_why_a_compare_would_not_list_the_field_now(
    systems: Systems,
    deal: str,
    why: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if why == "young":
        monkeypatch.setattr("shared.domain.compared.GRACE", timedelta(hours=1))
    elif why == "queued":
        with closing(App()) as app:
            soon = app.clock.now() - timedelta(minutes=2)
            app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, soon, "Unavailable"))
    else:
        systems.salesforce.clock.advance(REST_SECONDS)  # the stamp of a record that was just saved tells nothing yet
        change_link(deal, stamps={"opportunity": "2026-12-01T00:00:00Z"})
    standings, document = shown(deal, capsys)
    assert standings["money"] == "differs"
    assert compared(capsys) == []
    assert said in document["compare_says"]
