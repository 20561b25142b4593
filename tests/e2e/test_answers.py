"""A seller answers deals of Microsoft's by their stages, with the real app over sockets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shared.app
from tests.e2e.world import WAIT_SECONDS, World
from tests.unit.sync.inbound_deals import CUSTOMER, DETAILS
from tests.unit.sync.test_answering import OWN_STAGES

STRICT = {"answer_before_closing": True, "demand_reasons": True, "listed_reasons": True}


@pytest.fixture
def answering(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world with stages for a decline and a mistake. A win is not held, as no wait of a close lasts here."""
    before = Path(world.systems.environ["MAPPING"]).read_text("utf-8")
    path = tmp_path / "stages.toml"
    path.write_text(f"{before}\n{OWN_STAGES.partition('\n')[2]}", "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    monkeypatch.setenv("HOLD_WIN", "false")
    shared.app.reset()
    world.systems.partner_center.switches.apply_changes(STRICT)
    yield world
    shared.app.reset()


def send_event(world: World, referral: str) -> None:
    """Partner Center reports the referral, and the app has worked on it."""
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)


def arrives(world: World) -> tuple[str, dict[str, Any]]:
    """A deal that Microsoft sends: its referral's id, and its opportunity."""
    referral = world.systems.partner_center.microsoft_sends(
        name="Robots for the harbour", customerProfile=CUSTOMER, details=DETAILS
    )
    send_event(world, referral)
    return referral, world.opportunities_by_referral()[referral]


def answers(world: World, stage: str, **values: object) -> tuple[str, dict[str, Any]]:
    """The seller moves the stage of a deal that arrives, and the timer runs; its referral's id, and its opportunity."""
    referral, deal = arrives(world)
    assert deal["Answer_By__c"]
    world.systems.salesforce.edit("Opportunity", deal["Id"], {"StageName": stage, **values})
    world.host.run_now("push_opportunities")
    world.host.wait_idle(WAIT_SECONDS)
    return referral, world.opportunities_by_referral()[referral]


def ends(world: World, referral: str) -> tuple[str, str, str | None]:
    found = world.systems.partner_center.referral(referral)
    return found["status"], found["substatus"], found["statusReason"]


def test_a_seller_accepts_a_deal_and_answer_by_is_empty_then(answering: World) -> None:
    referral, deal = answers(answering, "Qualification", Amount=30000)
    assert ends(answering, referral)[:2] == ("Active", "Accepted")
    assert answering.systems.partner_center.referral(referral)["details"]["dealValue"] == 30000
    assert (deal["Sync_Status__c"], deal["Answer_By__c"]) == ("Synced", None)


def test_a_seller_declines_a_deal_with_a_reason(answering: World) -> None:
    reason = {"Closing_Reason__c": "Budget not adequate", "Closing_Reason_Details__c": "Next year"}
    referral, deal = answers(answering, "Declined", **reason)
    assert ends(answering, referral) == ("Closed", "Declined", "Budget not adequate: Next year")
    assert (deal["Sync_Status__c"], deal["Answer_By__c"]) == ("Synced", None)
    assert "Closed/Declined" in deal["Audit__c"]


def test_a_seller_wins_a_deal_that_nobody_has_answered(answering: World) -> None:
    referral, deal = answers(answering, "Closed Won")
    assert ends(answering, referral)[:2] == ("Closed", "Won")
    assert "Stage New/Pending → Active/Accepted" in deal["Audit__c"]
    assert "Stage Active/Accepted → Closed/Won" in deal["Audit__c"]
    assert (deal["Sync_Status__c"], deal["Answer_By__c"]) == ("Synced", None)


def test_a_seller_closes_a_deal_as_an_error(answering: World) -> None:
    referral, deal = answers(answering, "Mistake", Closing_Reason__c="Duplicate sent by Microsoft")
    assert ends(answering, referral) == ("Closed", "Error", "Duplicate sent by Microsoft")
    assert (deal["Sync_Status__c"], deal["Answer_By__c"]) == ("Synced", None)


@pytest.mark.slow
def test_a_deal_that_nobody_answers_is_shown_as_expired(answering: World) -> None:
    referral, deal = arrives(answering)
    assert deal["Answer_By__c"]
    answering.let_records_rest()
    answering.systems.partner_center.let_expire(referral)
    send_event(answering, referral)
    deal = answering.opportunities_by_referral()[referral]
    assert (deal["StageName"], deal["Answer_By__c"]) == ("Declined", None)
    assert "Partner Center closed this deal as Expired." in deal["Audit__c"]
