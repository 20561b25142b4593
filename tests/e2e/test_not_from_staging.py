"""In staging the app shares no deal with Microsoft, because nothing can be deleted in Partner Center."""

import pytest

import shared.app
from tests.e2e.world import World

VISIBLE = "Visible_to_Microsoft__c"


def shared_flags(world: World) -> list[bool]:
    referrals = world.systems.partner_center.referrals()
    return [referral["consent"]["consentToShareReferralWithMicrosoftSellers"] for referral in referrals]


@pytest.mark.parametrize(
    ("test_tenant", "flags", "mark"), [("false", [False], "Failed"), ("true", [False, True], "Synced")]
)
def test_staging_shares_a_deal_on_a_test_tenant_only(
    world: World, monkeypatch: pytest.MonkeyPatch, test_tenant: str, flags: list[bool], mark: str
) -> None:
    settings = {"ENVIRONMENT": "staging", "PARTNER_CENTER_TEST_TENANT": test_tenant, "IRREVERSIBLE_WAIT_SECONDS": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    shared.app.reset()
    world.systems.salesforce.set_sandbox(on=True)
    visible = world.seller_creates(**{VISIBLE: True})
    private = world.seller_creates()

    world.host.run_now("push_opportunities")

    record = world.systems.salesforce.record("Opportunity", visible)
    assert (sorted(shared_flags(world)), record["Sync_Status__c"]) == (flags, mark)
    assert ("shares no deals with Microsoft" in record["Audit__c"]) is (test_tenant == "false")
    assert world.systems.salesforce.record("Opportunity", private)["Sync_Status__c"] == "Synced"
