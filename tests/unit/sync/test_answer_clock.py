"""An unanswered deal shows until when to answer it, and warns before that (docs/protocol.md#clocks-of-a-deal)."""

from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.answer_clock import AnswerTime
from shared.domain.deal import Side
from tests.earlier_builds import BUILD_BEFORE, unpacked_build
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)
from tests.unit.sync.owned_deals import ANNA, org_with_owners, user_id
from tests.unit.sync.test_owner_notices import limit_rights

DAY = 24 * 3600.0
END = datetime(2026, 12, 6, 10, 0, tzinfo=UTC)
WARNING = "Microsoft awaits the answer to this deal until 2026-12-06 10:00 UTC. Then it expires."
REASON = {"Closing_Reason__c": "Not a customer"}
ACTION = "/actions/standard/"
REFUSAL = '[{"message": "insufficient access rights", "errorCode": "INSUFFICIENT_ACCESS"}]'


def shown(harness: Harness, deal: str) -> datetime | None:
    """What *Answer By* of the opportunity shows."""
    text = harness.opportunity(deal)["Answer_By__c"]
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def go_to(harness: Harness, at: datetime) -> None:
    """Let time pass until then."""
    harness.advance_time((at - harness.now()).total_seconds())


def before_end(harness: Harness, **left: float) -> None:
    """Let time pass until so much of the 14 days is left."""
    go_to(harness, END - timedelta(**left))


def warnings(harness: Harness, deal: str) -> int:
    """How many lines of the audit warn of the end."""
    return harness.count_in_audit(deal, WARNING)


def give_owner(harness: Harness, deal: str) -> None:
    """A person owns the opportunity."""
    harness.seller_edits(deal, OwnerId=harness.salesforce.seller)
    harness.push()
    harness.push()


def titles(harness: Harness) -> list[str]:
    """The titles of all notifications."""
    return [str(sent["title"]) for sent in harness.salesforce.org.notifications]


# --- Answer By


def test_an_unanswered_deal_shows_until_when_to_answer_it_from_its_creation_on(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    assert shown(harness, deal) == END
    assert harness.stored_link(deal).answer_by == AnswerTime(END)
    harness.sweep()
    harness.push_until_quiet()
    assert_quiet(harness)


def test_a_deal_without_an_end_of_its_own_ends_14_days_after_its_creation(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": None})
    harness.pull_event(referral)
    assert shown(harness, opportunity_of(harness, referral)["Id"]) == END


def test_a_deal_of_our_own_and_an_answered_one_show_no_time(harness: Harness) -> None:
    _, deal = accepted_deal(harness)
    for each in (deal, harness.shared_deal()):
        assert shown(harness, each) is None
        assert harness.stored_link(each).answer_by is None


@pytest.mark.parametrize("stage", ["Qualification", "Closed Won", "Closed Lost"])
def test_the_sellers_answer_clears_the_time(harness: Harness, stage: str) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName=stage, **REASON)
    harness.push(1)
    harness.push(3 * MINUTE)
    assert shown(harness, deal) is None
    assert harness.stored_link(deal).answer_by is None
    assert_quiet(harness)


def test_an_accept_that_is_seen_in_partner_center_clears_the_time_in_the_write_that_moves_the_stage(
    harness: Harness,
) -> None:
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.forget_calls()
    harness.pull_event(referral)
    assert shown(harness, deal) is None
    calls = harness.new_calls()
    assert sum(calls.values()) == 3, calls


def test_the_end_of_an_unanswered_deal_clears_the_time(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    before_end(harness, minutes=-1)
    harness.run_rounds(2)
    assert shown(harness, deal) is None
    assert_quiet(harness)


def test_a_push_that_does_not_read_the_referral_keeps_the_time(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, NextStep="Call them")
    harness.push()
    assert harness.new_calls()["partner_center.get"] == 0
    assert shown(harness, deal) == END


def test_a_later_end_in_partner_center_is_shown(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": "2026-12-20T10:00:00Z"})
    harness.run_rounds(1)
    assert shown(harness, deal) == END + timedelta(days=14)


def test_a_time_that_somebody_overwrote_is_put_back_at_the_next_look(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, Answer_By__c="2026-11-23T10:00:00.000+0000")
    harness.push()
    assert shown(harness, deal) == END
    assert_quiet(harness)


def test_a_refused_column_is_left_out_and_written_again_an_hour_later(harness: Harness) -> None:
    harness.refuse_writes_of("Answer_By__c")
    _, deal = arrived_deal(harness)
    assert shown(harness, deal) is None
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.clear_faults()
    harness.push(3 * MINUTE)
    harness.push(3601)
    harness.push()
    assert shown(harness, deal) == END
    assert_quiet(harness)


@pytest.mark.parametrize("look", ["edit", "event", "sweep"])
def test_a_link_of_an_earlier_build_gets_its_time_when_it_is_next_looked_at(harness: Harness, look: str) -> None:
    referral, deal = arrived_deal(harness)
    _forget_time(harness, deal)
    harness.seller_edits(deal, Answer_By__c=None)
    if look != "edit":
        harness.pull_event(referral) if look == "event" else harness.sweep(1)
        assert [entry.at for entry in harness.all_retry_entries(Side.PARTNER_CENTER)] == [END - timedelta(days=3)]
    else:
        harness.push()
        assert [entry.at for entry in harness.all_retry_entries(Side.SALESFORCE)] == [END - timedelta(days=3)]
    assert shown(harness, deal) == END
    assert harness.stored_link(deal).answer_by == AnswerTime(END)


def _forget_time(harness: Harness, deal: str) -> None:
    """Bring link and queue to the state in which an earlier build has left them."""
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, replace(entry.value, answer_by=None))
    for side in Side:
        for one in harness.all_retry_entries(side):
            harness.store.remove_retry_entry(one)


def test_an_org_with_the_package_of_the_build_before_shows_no_time_and_warns_all_the_same(tmp_path: Path) -> None:
    package = unpacked_build(BUILD_BEFORE, tmp_path, "infra/salesforce") / "infra/salesforce"
    with Harness(package=package) as harness:
        _, deal = arrived_deal(harness)
        assert "Answer_By__c" not in harness.opportunity(deal)
        before_end(harness, days=3, minutes=-1)
        harness.push()
        assert warnings(harness, deal) == 1
        assert_quiet(harness)


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
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", path=referral, status=400))
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
