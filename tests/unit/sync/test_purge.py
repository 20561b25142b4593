"""The personal values of a deal leave the store some time after its end (docs/protocol.md#personal-data)."""

from collections.abc import Iterator
from copy import replace
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.guard_texts import ERASED
from shared.domain.link import Effect, EffectKind, Intent
from shared.domain.link_states import Mark, State
from shared.domain.policy import Mode, Policy
from shared.operations.purge import purge_closed
from shared.store.erasure_rows import LINES_TOGETHER
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import AFTER_LEASE, Harness, Instance
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of
from tests.unit.sync.lead_deals import arrived_lead, leads
from tests.unit.sync.people_of_deals import KIM, LEE, add_contact
from tests.unit.sync.stored_texts import found_in_rows, stored_text

__all__ = ["leads"]
DAYS = 90
A_DAY = 24 * 3600.0
LONG = DAYS * A_DAY + 3600
NOTES = "Ask for Kim Berg at +1 206 555 0101."
PERSONAL = (
    *("kim@northwind.example", "Kim Berg", "+1 206 555 0101", "lee@northwind.example", "Lee Holm", "+1 206 555 0102"),
    *("Northwind", "1 Main Street", "Seattle", "ERP renewal", "First call", "Berg at", "Kim is"),
)
"""Parts of the values of the deal that name somebody, or that somebody wrote."""


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as made:
        yield made


def closed_deal(harness: Harness) -> str:
    """A deal with people, edits in its audit and a refused edit, that was won now."""
    deal = harness.seller_creates()
    add_contact(harness, deal, KIM, is_primary=True)
    harness.push_until_quiet()
    harness.seller_edits(deal, Description=NOTES)
    harness.push_until_quiet()
    add_contact(harness, deal, LEE)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push_until_quiet()
    harness.seller_edits(deal, Description="Kim is not there any more.")
    harness.run_rounds()
    assert harness.referral_of(deal)["status"] == "Closed"
    return deal


def purge(instance: Instance) -> None:
    """Run the daily purge."""
    purge_closed(instance.ctx, DAYS)


def test_no_row_holds_a_personal_value_of_a_deal_that_was_closed_long_ago(harness: Harness) -> None:
    deal = closed_deal(harness)
    assert len(found_in_rows(harness, PERSONAL)) > 8, "the deal has such values before"
    before = harness.stored_link(deal)
    harness.advance_time(LONG)
    purge(harness.first)
    assert found_in_rows(harness, PERSONAL) == []
    link = harness.stored_link(deal)
    assert (link.state, link.referral_id, link.etag) == (State.CLOSED, before.referral_id, before.etag)
    assert set(link.base) >= {"status", "money", "closing"}
    (done,) = harness.first.log.fields_of("purge_done")
    assert (done["count"], done["due"]) == (1, 0)


def test_an_erased_line_keeps_time_field_and_code(harness: Harness) -> None:
    deal = closed_deal(harness)
    before = harness.store.audit(deal)
    harness.advance_time(LONG)
    purge(harness.first)
    after = harness.store.audit(deal)
    assert [(one.at, one.field, one.code, one.rule) for one in after] == [
        (one.at, one.field, one.code, one.rule) for one in before
    ]
    changed = next(one for one in after if one.field == "notes" and one.code == "changed")
    assert (changed.before, changed.after, changed.values["label"]) == (ERASED, ERASED, "Description")


@pytest.mark.parametrize(("days", "mode"), [(0, Mode.ON), (DAYS + 1, Mode.ON), (DAYS, Mode.OFF)])
def test_nothing_is_purged_where_it_is_off_or_too_early(harness: Harness, days: int, mode: Mode) -> None:
    closed_deal(harness)
    harness.advance_time(LONG)
    known = found_in_rows(harness, PERSONAL)
    purge_closed(harness.new_instance(Policy(mode)).ctx, days)
    assert found_in_rows(harness, PERSONAL) == known


def test_an_open_deal_is_not_purged_and_costs_no_call(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.advance_time(LONG)
    before = stored_text(harness)
    purge(harness.first)
    assert harness.stored_link(deal).base["name"] == "ERP renewal"
    new = set(stored_text(harness).splitlines()) - set(before.splitlines())
    assert [line.split()[:2] for line in new] == [["cursor", "purge_done"]]
    assert not harness.new_calls()


def test_a_deal_is_purged_although_later_edits_changed_its_row(harness: Harness) -> None:
    deal = closed_deal(harness)
    harness.advance_time(LONG - 10 * A_DAY)
    harness.seller_edits(deal, Description="Kim Berg is back.")
    harness.push_until_quiet()
    harness.advance_time(10 * A_DAY)
    purge(harness.first)
    assert found_in_rows(harness, PERSONAL) == []


def test_a_second_run_on_the_same_day_reads_no_deal(harness: Harness) -> None:
    closed_deal(harness)
    harness.advance_time(LONG)
    purge(harness.first)
    worker = harness.new_instance()
    purge(worker)
    assert [name for name in worker.process.calls if name != "store.cursor"] == []


def test_a_pair_that_a_worker_has_is_purged_the_day_after(harness: Harness) -> None:
    deal = closed_deal(harness)
    harness.advance_time(LONG)
    entry = harness.store.link(deal)
    assert entry is not None
    busy = harness.store.replace_link(
        entry, replace(entry.value, intent=Intent((Effect(EffectKind.MARK_OPPORTUNITY),)))
    )
    purge(harness.first)
    assert harness.stored_link(deal) == busy.value, "its worker may still write"
    assert harness.first.log.fields_of("purge_done")[0]["due"] == 1
    harness.store.replace_link(busy, entry.value)
    harness.advance_time(A_DAY)
    purge(harness.first)
    assert found_in_rows(harness, PERSONAL) == []


def test_a_deal_with_more_lines_than_a_transaction_is_purged_whole(harness: Harness) -> None:
    deal = closed_deal(harness)
    entry = harness.store.link(deal)
    assert entry is not None
    lines = [Line(harness.now(), "changed", None, None, "notes", "Kim Berg", str(number)) for number in range(70)]
    entry = harness.store.replace_link(entry, entry.value, lines)
    harness.store.replace_link(entry, entry.value, [replace(line, after="Lee Holm") for line in lines])
    assert len(lines) > LINES_TOGETHER
    harness.advance_time(LONG)
    purge(harness.first)
    assert found_in_rows(harness, PERSONAL) == []


def crashed_purge(harness: Harness) -> None:
    """The days pass after which the deal of `closed_deal` is purged."""
    deal = closed_deal(harness)
    entry = harness.store.link(deal)
    assert entry is not None
    line = Line(harness.now(), "changed", None, None, "notes", "Kim Berg", "Lee Holm")
    harness.store.replace_link(entry, entry.value, [replace(line, field=f"f{number}") for number in range(80)])
    harness.advance_time(LONG)


@pytest.mark.slow
def test_a_purge_that_stops_anywhere_is_finished_by_the_next() -> None:
    points, _ = crash_points(crashed_purge, purge)
    assert len(points) > 3
    for point in points:
        with Harness() as again:
            crashed_purge(again)
            worker = again.new_instance()
            crash_instance_at(worker, point)
            assert worker.crashes_during(purge)
            again.advance_time(AFTER_LEASE)
            purge(again.new_instance())
            assert found_in_rows(again, PERSONAL) == []
            (deal,) = (entry.value.opportunity_id for entry in again.store.links())
            assert again.store.retry_entry(Side.SALESFORCE, deal) is not None, "the audit is written by a push"


def test_what_is_known_of_a_lead_that_was_declined_is_purged(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="Ask for Lee Holm.")
    leads.pull_event(referral)
    leads.colleague_edits(referral, status="Closed", substatus="Declined")
    leads.pull_event(referral)
    texts = ("Lind", "Holm", "ada.lind@fabrikam.example")
    assert found_in_rows(leads, texts)
    leads.advance_time(LONG)
    purge(leads.first)
    assert found_in_rows(leads, texts) == []
    pointer = leads.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.lead is not None
    assert (pointer.value.lead.is_closed, pointer.value.lead.written) == (True, {})


def test_a_claim_that_was_left_behind_goes(harness: Harness) -> None:
    harness.store.claim_account("northwind|US", timedelta(minutes=5))
    harness.advance_time(LONG)
    purge(harness.first)
    assert list(harness.rows.scan("A|", "claim")) == []


def test_the_mark_of_a_purged_deal_stays(harness: Harness) -> None:
    deal = closed_deal(harness)
    assert harness.stored_link(deal).due_mark is Mark.DIFFERENCES
    harness.advance_time(LONG)
    purge(harness.first)
    assert harness.stored_link(deal).due_mark is Mark.DIFFERENCES


def test_the_values_of_a_lost_create_whose_referral_is_gone_are_purged(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    missing = '{"error":{"code":"itemNotFound"}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=404, body=missing))
    harness.pull_event(referral, AFTER_LEASE)
    harness.advance_time(LONG - 2 * A_DAY)
    purge(harness.first)
    assert harness.store.pointer(referral) is not None, "it may come back"
    harness.advance_time(2 * A_DAY)
    purge(harness.first)
    assert harness.store.pointer(referral) is None
    assert harness.first.log.fields_of("claim_purged") == [{"referral_id": referral}]
    harness.pull_event(referral)
    assert len(opportunities_of(harness, referral)) == 1, "one that comes back is found by its id"
