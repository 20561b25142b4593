"""The nightly timer purges a closed deal, and the push shows it (docs/protocol.md#personal-data)."""

import json

import pytest

from shared.app import app
from shared.store.row_codec import unpack
from shared.store.sqlite_rows import SqliteRows
from tests.e2e.world import World

DAYS = 40


def opened_rows() -> SqliteRows:
    """The rows of the app's store."""
    rows = app().store._rows
    assert isinstance(rows, SqliteRows)
    return rows


def let_rows_age(days: int) -> None:
    """Let the last change of every row be so many days ago."""
    opened_rows()._connection.execute("UPDATE rows SET changed = changed - ?", (days * 24 * 3600 * 1_000_000,))


def stored_texts() -> str:
    """The data of all rows."""
    found = opened_rows()._connection.execute("SELECT data FROM rows").fetchall()
    return "\n".join(json.dumps(unpack(data), ensure_ascii=False) for (data,) in found)


def test_the_nightly_timer_erases_a_deal_that_was_closed_long_ago(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PURGE_AFTER_DAYS", str(DAYS - 1))
    deal = world.seller_creates(Description="Ask for Ann Lee.")
    world.host.run_now("push_opportunities")
    referral = world.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    closed = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in CLOSE.items()]
    world.let_records_rest()
    world.systems.partner_center.portal_edits(referral, closed)
    world.host.run_now("sweep_referrals")
    assert world.systems.salesforce.record("Opportunity", deal)["StageName"] == "Closed Lost"
    assert "Ann Lee" in stored_texts()
    let_rows_age(DAYS)
    world.host.run_now("compare_deals")
    world.host.run_now("push_opportunities")
    assert [word for word in ("Ann Lee", "Big deal", "Contoso") if word in stored_texts()] == []
    record = world.systems.salesforce.record("Opportunity", deal)
    assert "value erased" in record["Audit__c"]
    assert (record["Description"], record["StageName"]) == ("Ask for Ann Lee.", "Closed Lost")


CLOSE = {"status": "Closed", "substatus": "Lost", "statusReason": "Others"}
