"""What an administrator takes away under a running app stops no run, is named where people look, and heals."""

from collections.abc import Callable

import pytest

from emulators.salesforce.data.sharing import group_names
from shared.clients.salesforce.deal_sharing import GROUP
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of
from tests.unit.sync.org_walk import defects, edit_both_ways, inbox_cause, run, unnamed_differences
from tests.unit.sync.real_orgs import org_harness, share_by_criteria


def _delete_rule(harness: Harness) -> None:
    harness.salesforce.org.sharing.rules.clear()


def _delete_group(harness: Harness) -> None:
    (group,) = (each for each in harness.salesforce.records("Group") if each["DeveloperName"] == GROUP)
    harness.salesforce.delete("Group", group["Id"])


@pytest.mark.parametrize("take_away", [_delete_rule, _delete_group])
def test_write_backs_that_a_deleted_rule_or_group_allowed_are_in_the_inbox_until_it_is_back(
    take_away: Callable[[Harness], None],
) -> None:
    with org_harness(["shared by criteria"]) as harness:
        deal = harness.shared_deal()
        take_away(harness)
        edit_both_ways(harness, deal, ())
        run(harness)
        assert "insufficient access" in inbox_cause(harness, deal)
        if GROUP not in group_names(harness.salesforce.org):
            control(harness.salesforce, "group", name=GROUP, members=[])
        share_by_criteria(harness.salesforce)
        run(harness, after=HOUR)
        assert (inbox_cause(harness, deal), [*unnamed_differences(harness, deal)]) == ("", [])
        assert [*defects(harness.first)] == []


def test_a_deleted_inbox_object_leaves_the_log_and_a_new_one_shows_the_deal() -> None:
    with org_harness(["rule for deals"]) as harness:
        model = harness.salesforce.org.model
        inbox = model._by_name.pop("cosell_inbox__c")
        referral = microsoft_sends_deal(harness)
        harness.pull_event(referral)
        run(harness)
        told = [each["referral_id"] for each in harness.first.log.fields_of("deal_not_made")]
        assert set(told) == {referral}
        assert opportunities_of(harness, referral) == []
        model.add_object(inbox)
        run(harness, after=HOUR)
        assert "Say the next step." in inbox_cause(harness, referral)
        assert [*defects(harness.first)] == []
