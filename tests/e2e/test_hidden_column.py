"""A column that becomes hidden while the app runs: deals go on, and seller and operator are told which column it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.clients.salesforce import org_shape
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from shared.doctor.run_checks import run_checks
from tests.e2e.world import WAIT_SECONDS, LogEvents, World
from tests.unit.emulated_rights import rights_without
from tests.unit.sync.inbound_deals import DETAILS

HIDDEN = ["Opportunity.Description", "Account.BillingState"]


@pytest.fixture
def salesforce_hides(world: World) -> Iterator[World]:
    """The world once its app has run; then everybody loses the right to see two columns."""
    org = world.systems.salesforce.org
    world.host.run_now("push_opportunities")
    rights = rights_without(org.model, hidden=HIDDEN)
    org.rights_of = lambda user: None if user == world.systems.salesforce.seller else rights
    yield world
    world.systems.reset()


def test_deals_go_out_and_in_under_a_running_app(
    salesforce_hides: World, log_events: LogEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = salesforce_hides
    monkeypatch.setattr(org_shape, "ASK_SOON", timedelta(0))
    deal = world.seller_creates(Amount=5_000)
    for _ in range(2):
        world.host.run_now("push_opportunities")
    referral = world.systems.partner_center.microsoft_sends(details=DETAILS)
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)
    out = world.systems.salesforce.record("Opportunity", deal)
    assert out["Sync_Status__c"] == "Synced with differences"
    arrived = world.opportunities_by_referral()[referral]
    for audit in (out["Audit__c"], arrived["Audit__c"]):
        assert audit.count("Description is not synced, because the integration user may not see Description.") == 1
        assert audit.count("the integration user may not see Account.BillingState.") == 1
    assert log_events.events_named("remote_failed"), "the app learned of it by a refusal"


def test_the_doctor_names_hidden_columns(salesforce_hides: World) -> None:
    del salesforce_hides
    installation = Installation()
    try:
        verdict = run_checks(installation)["mapped fields"]
    finally:
        installation.close()
    assert verdict.result is Result.FAILED
    assert "notes: Description does not exist, or the user may not see it" in verdict.found
    assert "account: Account.BillingState does not exist, or the user may not see it" in verdict.found
