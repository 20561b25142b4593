"""One page of a gateway parks no deal, and stops no other one."""

import pytest

from emulators.base.faults import Fault, FaultKind
from tests.e2e.world import World

pytestmark = pytest.mark.slow


def test_a_page_in_place_of_partner_centers_answer_parks_nothing_and_pauses_nothing(world: World) -> None:
    partner_center, salesforce = world.systems.partner_center, world.systems.salesforce
    blocked, other = world.seller_creates(), world.seller_creates()
    world.host.run_now("push_opportunities")
    referrals = {key: salesforce.record("Opportunity", key)["Referral_Identifier__c"] for key in (blocked, other)}
    page = "<html><body>Request blocked.</body></html>"
    partner_center.faults.append(
        Fault(FaultKind.ANSWER, method="PATCH", path=referrals[blocked], status=403, body=page)
    )
    for opportunity in referrals:
        salesforce.edit("Opportunity", opportunity, {"Amount": 12_345})
    world.host.run_now("push_opportunities")

    assert partner_center.referral(referrals[other])["details"]["dealValue"] == 12_345
    assert partner_center.referral(referrals[blocked])["details"]["dealValue"] != 12_345
    record = salesforce.record("Opportunity", blocked)
    assert (record["Sync_Status__c"], "not carried over" in record["Audit__c"]) == ("Synced", False)
