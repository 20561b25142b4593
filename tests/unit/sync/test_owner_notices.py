"""The owner of a deal that arrives is told of it in Salesforce (docs/protocol.md#the-owner-of-a-new-deal)."""

from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.earlier_builds import FIRST_BUILD, unpacked_build
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of
from tests.unit.sync.owned_deals import ANNA, DEFAULT_OWNER, arrives, deactivate, org_with_owners, user_id

TO_ANNA = '[[owners]]\nby = "user"\nuser = "anna@partner.example"\n'
BY_TASK = f'notify_owner = "task"\n{TO_ANNA}'
ACTION, GRAPH = "/actions/standard/", "/composite/graph"


def limit_rights(harness: Harness, *, sends: bool) -> None:
    """Give the user of the sync the rights of the permission set only; without `sends`, less one."""
    documents, key = harness.salesforce.deployments.documents.kept, ("PermissionSet", "Cosell_Integration")
    documents[key] = documents[key].replace(b"<license>Salesforce API Integration</license>", b"")
    if not sends:
        documents[key] = documents[key].replace(b"SendCustomNotifications", b"ViewSetup")
    harness.salesforce.permission_sets[harness.sign_in.user] = ("Cosell_Integration",)
    harness.ask_org_again()


def test_the_owner_of_an_unanswered_deal_is_told_until_when_to_answer() -> None:
    with org_with_owners(TO_ANNA) as harness:
        limit_rights(harness, sends=True)
        deal = arrives(harness)
        [sent] = harness.salesforce.org.notifications
        assert sent["recipientIds"] == [user_id(harness, ANNA)]
        assert sent["targetId"] == deal["Id"]
        assert sent["title"] == "New deal from Partner Center: Robots for the harbour"
        assert sent["body"].startswith("Fabrikam Robotics (DK), 25000.00 EUR. Please answer by 2026-12-06 10:00 UTC:")
        assert harness.stored_link(deal["Id"]).notice is None
        assert_quiet(harness)
        assert len(harness.salesforce.org.notifications) == 1


def test_the_end_that_the_referral_names_is_the_time_to_answer_by() -> None:
    with org_with_owners(TO_ANNA) as harness:
        referral = microsoft_sends_deal(harness)
        harness.partner_center.raw_patch(referral, {"/expirationDateTime": "2026-11-30T09:30:00Z"})
        harness.pull_event(referral)
        [sent] = harness.salesforce.org.notifications
        assert "by 2026-11-30 09:30 UTC" in sent["body"]


def test_the_owner_of_a_deal_that_is_answered_already_is_told_without_a_time() -> None:
    with org_with_owners(TO_ANNA) as harness:
        referral = microsoft_sends_deal(harness)
        harness.colleague_edits(referral, status="Active", substatus="Accepted")
        harness.pull_event(referral)
        [sent] = harness.salesforce.org.notifications
        assert sent["body"].endswith("It is answered already, and belongs to you now.")


def test_a_task_tells_the_owner_where_the_file_says_so() -> None:
    with org_with_owners(BY_TASK) as harness:
        deal = arrives(harness)
        [task] = harness.salesforce.records("Task")
        assert (task["OwnerId"], task["WhatId"], task["ActivityDate"]) == (
            user_id(harness, ANNA), deal["Id"], "2026-12-06",
        )  # fmt: skip
        assert (task["Subject"], task["Status"], task["Priority"]) == (
            "New deal from Partner Center: Robots for the harbour", "Not Started", "Normal",
        )  # fmt: skip
        assert harness.salesforce.org.notifications == []
        assert_quiet(harness)


def test_nobody_is_told_where_the_file_says_so() -> None:
    with org_with_owners(f'notify_owner = "none"\n{TO_ANNA}') as harness:
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, ANNA)
        assert (harness.salesforce.org.notifications, harness.salesforce.records("Task")) == ([], [])


def test_the_user_of_the_sync_is_told_nothing() -> None:
    with org_with_owners('[[owners]]\nby = "user"\nuser = "nobody@partner.example"\n') as harness:
        deal = arrives(harness)
        assert deal["OwnerId"] == harness.sign_in.user
        assert harness.salesforce.org.notifications == []
        assert harness.stored_link(deal["Id"]).notice is None


def test_a_deal_of_our_own_tells_nobody() -> None:
    with org_with_owners(TO_ANNA) as harness:
        harness.shared_deal()
        assert harness.salesforce.org.notifications == []


def test_an_owner_who_was_chosen_meanwhile_is_told() -> None:
    with org_with_owners(TO_ANNA + DEFAULT_OWNER) as harness:
        referral = microsoft_sends_deal(harness)
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, ACTION))
        harness.pull_event(referral)
        deal = opportunity_of(harness, referral)
        harness.salesforce.edit("Opportunity", deal["Id"], {"OwnerId": harness.salesforce.seller})
        harness.run_rounds(2)
        [sent] = harness.salesforce.org.notifications
        assert sent["recipientIds"] == [harness.salesforce.seller]


def test_an_owner_who_was_deactivated_meanwhile_is_told_nothing() -> None:
    with org_with_owners(TO_ANNA) as harness:
        referral = microsoft_sends_deal(harness)
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, ACTION))
        harness.pull_event(referral)
        deactivate(harness, ANNA)
        harness.run_rounds(2)
        assert harness.salesforce.org.notifications == []
        assert harness.stored_link(opportunity_of(harness, referral)["Id"]).notice is None


# --- failures


def test_a_missing_right_is_told_once_and_holds_no_deal() -> None:
    with org_with_owners(TO_ANNA) as harness:
        limit_rights(harness, sends=False)
        deal = arrives(harness)
        harness.run_rounds(3)
        assert harness.opportunity(deal["Id"])["OwnerId"] == user_id(harness, ANNA)
        assert harness.count_in_audit(deal["Id"], "Opportunity Owner was not notified of this deal: You need") == 1
        assert len(harness.first.log.fields_of("owner_not_told")) == 1
        harness.seller_edits(deal["Id"], StageName="Qualification")
        harness.run_rounds(2)
        assert harness.partner_center.referral(deal["Referral_Identifier__c"])["status"] == "Active"


def test_a_user_who_may_make_no_tasks_is_told_of_once_and_holds_no_deal() -> None:
    with org_with_owners(BY_TASK) as harness:
        limit_rights(harness, sends=True)
        deal = arrives(harness)
        harness.run_rounds(3)
        assert harness.opportunity(deal["Id"])["OwnerId"] == user_id(harness, ANNA)
        assert harness.count_in_audit(deal["Id"], "Opportunity Owner was not notified of this deal") == 1
        assert len(harness.first.log.fields_of("owner_not_told")) == 1
        assert harness.stored_link(deal["Id"]).notice is None
        assert_quiet(harness)


@pytest.mark.parametrize("rules", [TO_ANNA, BY_TASK], ids=["notification", "task"])
def test_a_failure_that_passes_delays_the_notice_and_not_the_deal(rules: str) -> None:
    with org_with_owners(rules) as harness:
        path, skip = (GRAPH, 1) if rules == BY_TASK else (ACTION, 0)
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, path, skip=skip))
        deal = arrives(harness)
        assert deal["OwnerId"] == user_id(harness, ANNA)
        harness.run_rounds(3)
        told = [*harness.salesforce.org.notifications, *harness.salesforce.records("Task")]
        assert len(told) == 1
        assert_quiet(harness)


def test_a_lost_answer_sends_a_notification_again_and_makes_no_second_task() -> None:
    for rules, expected in ((TO_ANNA, 2), (BY_TASK, 1)):
        with org_with_owners(rules) as harness:
            path, skip = (GRAPH, 1) if rules == BY_TASK else (ACTION, 0)
            harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path, skip=skip))
            arrives(harness)
            harness.run_rounds(3)
            told = [*harness.salesforce.org.notifications, *harness.salesforce.records("Task")]
            assert len(told) == expected
            assert_quiet(harness)


def test_after_three_tries_without_an_answer_the_audit_says_that_nobody_knows() -> None:
    with org_with_owners(TO_ANNA) as harness:
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, ACTION, times=6))
        deal = arrives(harness)
        harness.run_rounds(6)
        assert len(harness.salesforce.org.notifications) == 3
        assert harness.count_in_audit(deal["Id"], "Nobody knows whether Opportunity Owner was notified") == 1
        harness.clear_faults()
        assert_quiet(harness)


def test_the_earlier_package_has_no_notification_type_and_it_is_said_once(tmp_path: Path) -> None:
    package = unpacked_build(FIRST_BUILD, tmp_path, "infra/salesforce") / "infra/salesforce"
    with org_with_owners(TO_ANNA, package=package) as harness:
        assert harness.translation.org is not None
        assert "Cosell_New_Deal" in harness.translation.org.missing
        for _ in range(2):
            deal = arrives(harness)
            assert deal["OwnerId"] == user_id(harness, ANNA)
            assert harness.count_in_audit(deal["Id"], "notified") == 0
        assert not harness.first.log.fields_of("owner_not_told")
        assert_quiet(harness)


def test_without_rules_the_org_is_not_asked_for_the_notification_type(harness: Harness) -> None:
    assert harness.translation.org is not None
    assert harness.translation.org.notifications == {}
