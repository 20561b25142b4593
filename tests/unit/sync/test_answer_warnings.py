"""An unanswered deal warns of its end, and its owner is told (docs/protocol.md#clocks-of-a-deal)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.answer_times import (
    ACTION,
    END,
    REASON,
    REFUSAL,
    before_end,
    give_owner,
    go_to,
    shown,
    titles,
    warnings,
)
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)
from tests.unit.sync.owned_deals import ANNA, org_with_owners, user_id
from tests.unit.sync.test_owner_notices import limit_rights

# --- warnings


def test_an_unanswered_deal_warns_3_days_and_1_day_before_its_end(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    for days, count in ((3, 1), (1, 2)):
        before_end(harness, days=days, minutes=2)
        harness.push()
        assert warnings(harness, deal) == count - 1
        harness.push(2 * MINUTE)
        assert warnings(harness, deal) == count
        assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
        fields = harness.first.log.fields_of("answer_due")
        assert [(one["days"], one["opportunity_id"], one["referral_id"]) for one in fields][count - 1:] == [
            (days, deal, referral)
        ]  # fmt: skip
        assert_quiet(harness)
    before_end(harness, minutes=-1)
    harness.run_rounds(3)
    assert warnings(harness, deal) == 2
    assert_quiet(harness)


def test_a_minute_between_the_warnings_costs_one_call(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    for left in ({"days": 5}, {"days": 2}, {"hours": 3}):
        before_end(harness, **left)
        harness.push()
        harness.push()
        harness.forget_calls()
        harness.push()
        assert sum(harness.new_calls().values()) == 1
    assert warnings(harness, deal) == 2


def test_a_deal_that_is_answered_meanwhile_warns_of_nothing(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    before_end(harness, days=3, minutes=2)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")  # and its event is lost
    harness.push(3 * MINUTE)
    assert warnings(harness, deal) == 0
    assert not harness.first.log.fields_of("answer_due")
    harness.run_rounds(2)
    assert_quiet(harness)


def test_an_app_that_was_off_over_both_times_warns_once(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    give_owner(harness, deal)
    before_end(harness, hours=20)
    harness.run_rounds(3)
    assert warnings(harness, deal) == 1
    assert titles(harness) == ["Answer within 1 day: Robots for the harbour"]
    assert_quiet(harness)


def test_an_app_that_was_off_until_the_end_warns_of_nothing(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    before_end(harness, hours=-1)
    harness.run_rounds(3)
    assert warnings(harness, deal) == 0
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1


def test_a_decline_that_waits_for_its_two_minutes_is_an_answer_and_one_without_reason_is_none(
    harness: Harness,
) -> None:
    _, deal = arrived_deal(harness)
    before_end(harness, days=3, minutes=2)
    harness.push()
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push(30)
    harness.push(90)
    assert warnings(harness, deal) == 0
    harness.run_rounds(2)
    assert warnings(harness, deal) == 0
    _, other = arrived_deal(harness)
    harness.seller_edits(other, StageName="Closed Lost")
    harness.push()
    go_to(harness, harness.stored_link(other).answer_by.until - timedelta(days=3) + timedelta(minutes=1))  # type: ignore[union-attr] # it has one
    harness.push()
    assert harness.count_in_audit(other, "Microsoft awaits the answer to this deal") == 1


def test_a_deal_that_arrives_two_days_before_its_end_warns_at_once(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    before_end(harness, days=2)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.run_rounds(2)
    assert warnings(harness, deal) == 1
    assert_quiet(harness)


def test_an_unticked_deal_warns_of_nothing_until_it_is_ticked_again(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push()
    before_end(harness, days=2)
    harness.run_rounds(2)
    assert warnings(harness, deal) == 0
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.run_rounds(1)
    assert warnings(harness, deal) == 1


def test_a_value_that_partner_center_refuses_does_not_stop_the_clock(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    body = '{"error": {"code": "invalidRequest", "message": "Not so."}}'
    refusal = Fault(FaultKind.ANSWER, method="PATCH", path=referral, status=400, body=body)
    harness.inject_fault(Side.PARTNER_CENTER, refusal)
    harness.push()
    before_end(harness, days=3, minutes=-1)
    harness.push()
    assert warnings(harness, deal) == 1


# --- the owner


def test_the_person_who_owns_the_deal_is_told_although_no_rule_made_them_the_owner(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    give_owner(harness, deal)
    before_end(harness, days=3, minutes=-1)
    harness.push()
    [sent] = harness.salesforce.org.notifications
    assert sent["recipientIds"] == [harness.salesforce.seller]
    assert sent["targetId"] == deal
    assert sent["title"] == "Answer within 3 days: Robots for the harbour"
    assert sent["body"].startswith("Fabrikam Robotics (DK), 25000.00 EUR. Please answer by 2026-12-06 10:00 UTC:")
    assert_quiet(harness)
    before_end(harness, days=1, minutes=-1)
    harness.push()
    assert titles(harness)[1:] == ["Answer within 1 day: Robots for the harbour"]
    assert_quiet(harness)


def test_the_rights_of_the_permission_set_are_enough_to_warn(harness: Harness) -> None:
    limit_rights(harness, sends=True)
    _, deal = arrived_deal(harness)
    assert shown(harness, deal) == END
    give_owner(harness, deal)
    before_end(harness, days=3, minutes=-1)
    harness.push()
    assert (warnings(harness, deal), len(titles(harness))) == (1, 1)


def test_the_user_of_the_sync_is_told_nothing(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    assert harness.opportunity(deal)["OwnerId"] == harness.sign_in.user
    before_end(harness, days=3, minutes=-1)
    harness.push()
    assert (warnings(harness, deal), titles(harness)) == (1, [])


@pytest.mark.parametrize(("notice", "tasks"), [("task", 2), ("none", 0)])
def test_the_mapping_file_says_how_the_owner_is_told(notice: str, tasks: int, tmp_path: Path) -> None:
    file = tmp_path / "notice.toml"
    file.write_text(f'extends = "default"\nnotify_owner = "{notice}"\n', "utf-8")
    with Harness(mapping=file) as harness:
        _, deal = arrived_deal(harness)
        give_owner(harness, deal)
        for days in (3, 1):
            before_end(harness, days=days, minutes=-1)
            harness.push()
        assert warnings(harness, deal) == 2
        assert titles(harness) == []
        due = [(task["Subject"], task["ActivityDate"]) for task in harness.salesforce.records("Task")]
        assert len(due) == tasks
        assert set(due) <= {
            ("Answer within 3 days: Robots for the harbour", "2026-12-06"),
            ("Answer within 1 day: Robots for the harbour", "2026-12-06"),
        }


def test_an_owner_by_a_rule_is_told_of_the_new_deal_and_of_its_end() -> None:
    with org_with_owners(f'[[owners]]\nby = "user"\nuser = "{ANNA}"\n') as harness:
        arrived_deal(harness)
        before_end(harness, days=3, minutes=-1)
        harness.push()
        harness.push()
        assert [title.partition(":")[0] for title in titles(harness)] == [
            "New deal from Partner Center", "Answer within 3 days",
        ]  # fmt: skip
        assert {sent["recipientIds"][0] for sent in harness.salesforce.org.notifications} == {user_id(harness, ANNA)}


def test_a_notification_that_fails_is_sent_later_and_one_that_is_refused_is_told_in_the_audit(
    harness: Harness,
) -> None:
    _, deal = arrived_deal(harness)
    give_owner(harness, deal)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, ACTION))
    before_end(harness, days=3, minutes=-1)
    harness.push()
    harness.run_rounds(2)
    assert len(titles(harness)) == 1
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, ACTION, status=403, body=REFUSAL))
    before_end(harness, days=1, minutes=-1)
    harness.push()
    harness.run_rounds(2)
    assert len(titles(harness)) == 1
    assert harness.count_in_audit(deal, "Opportunity Owner was not notified of this deal") == 1
    assert warnings(harness, deal) == 2
    assert_quiet(harness)


# --- crashes and two instances


def _nearly_due(harness: Harness) -> tuple[str, str]:
    referral, deal = arrived_deal(harness)
    give_owner(harness, deal)
    before_end(harness, days=3)
    return referral, deal


def _push(instance: Instance) -> None:
    instance.push(MINUTE)


@pytest.mark.parametrize("every", EVERY_NTH)
def test_each_warning_is_given_once_after_a_crash_anywhere(every: int) -> None:
    points, _ = crash_points(_nearly_due, _push)
    for number in every_nth(points, every):
        with Harness() as harness:
            _, deal = _nearly_due(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            instance.crashes_during(_push)
            recover_after_lease(harness)
            assert warnings(harness, deal) == 1, number
            assert 1 <= len(titles(harness)) <= 2, number  # at least once, as for a new deal
            before_end(harness, days=1)
            recover_after_lease(harness)
            assert warnings(harness, deal) == 2, number
            assert_quiet(harness)


def test_a_task_is_made_once_after_a_crash_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "task.toml"
    file.write_text('extends = "default"\nnotify_owner = "task"\n', "utf-8")
    with Harness(mapping=file) as harness:
        _, deal = _nearly_due(harness)
        for number in range(40):
            instance = harness.new_instance()
            instance.process.crash_at(number, after=True)
            if not instance.crashes_during(_push):
                break
            harness.advance_time(AFTER_LEASE)
        assert len(harness.salesforce.records("Task")) == 1
        assert warnings(harness, deal) == 1


def test_two_instances_give_one_warning(harness: Harness) -> None:
    _, deal = _nearly_due(harness)
    one, two = harness.new_instance(), harness.new_instance()
    began: list[Any] = []

    def other_runs() -> None:
        if not began:
            began.append(two.push(0))

    one.process.after_each_call = other_runs
    one.push(MINUTE)
    recover_after_lease(harness)
    assert warnings(harness, deal) == 1
    assert len(titles(harness)) == 1
    assert_quiet(harness)


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_deal_that_arrives_gets_its_time_and_its_warning_after_a_crash_anywhere(every: int) -> None:
    def arrange(harness: Harness) -> str:
        return microsoft_sends_deal(harness)

    referrals: list[str] = []

    def run(instance: Instance) -> None:
        instance.sweep(MINUTE)

    points, _ = crash_points(lambda harness: referrals.append(arrange(harness)), run)
    for number in every_nth(points, every):
        with Harness() as harness:
            referral = arrange(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            instance.crashes_during(run)
            recover_after_lease(harness)
            deal = opportunity_of(harness, referral)["Id"]
            assert shown(harness, deal) == END, number
            before_end(harness, days=3, minutes=-1)
            harness.push()
            assert warnings(harness, deal) == 1, number
