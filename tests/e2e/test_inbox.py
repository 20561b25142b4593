"""A deal that Salesforce refuses is seen in the inbox of the package, and leaves it once it is made."""

from datetime import UTC, datetime

from emulators.salesforce.data.hooks import ValidationRule
from shared.app import app
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.e2e.world import LogEvents, World

FAR = datetime.max.replace(tzinfo=UTC)


def make_all_due() -> None:
    """Let the hour until the next try pass."""
    for entry in app().store.retry_entries(Side.PARTNER_CENTER, FAR, 100):
        app().store.put_retry_entry(RetryEntry(entry.side, entry.key, datetime.now(UTC), entry.cause, entry.attempts))


def test_a_refused_deal_is_in_the_inbox_until_the_administrator_has_mended_the_cause(
    world: World, log_events: LogEvents
) -> None:
    org = world.systems.salesforce
    rule = ValidationRule("Opportunity", "Name", "Every deal needs a region.")
    org.org.hooks.rules.append(rule)
    referral = world.systems.partner_center.microsoft_sends(name="Robots for the harbour")
    world.wait_for_events()
    world.host.run_now("sweep_referrals")
    (record,) = org.records("Cosell_Inbox__c")
    assert (record["Key__c"], record["Name"], record["Cause__c"]) == (
        referral, "Robots for the harbour", "Every deal needs a region.",
    )  # fmt: skip
    assert record["Answer_By__c"]
    assert referral in record["Link__c"]

    make_all_due()
    world.host.run_now("push_opportunities")
    assert org.records("Cosell_Inbox__c") == [record]

    org.org.hooks.rules.remove(rule)
    make_all_due()
    world.host.run_now("push_opportunities")
    assert referral in world.opportunities_by_referral()
    assert org.records("Cosell_Inbox__c") == []
    assert {event["referral_id"] for event in log_events.events_named("deal_not_made")} == {referral}
