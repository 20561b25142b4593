"""What the store, the pair and the Audit hold after each call that creates or changes a referral."""

from copy import replace
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.cause import Cause
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import VISIBILITY, Change, Deal, Side, Status
from shared.domain.leads import KnownLead
from shared.domain.link import TRY_AGAIN, WHOLE, Difference, EffectKind, Intent, Link, Pointer
from shared.domain.link_states import State
from shared.domain.planned import Plan
from shared.domain.records import Opportunity
from shared.domain.repeats import UNREADABLE, with_unreadable
from shared.domain.sharing import Sharing
from shared.foundation.errors import Ambiguous
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair
from shared.sync.ports import Outcome, Result
from shared.sync.write_referral import (
    create_referral,
    find_created_referral,
    park_changes,
    patch_referral,
    point_to_link,
)
from tests.unit.sync.harness import MINUTE, START, Harness

THERE, PAGE = Side.PARTNER_CENTER, "<html><body>Request blocked.</body></html>"
OPEN = Status("Active", "Accepted")
REFUSED, UNREAD = Cause("x", "notes", "No.", "Change it."), Cause(UNREADABLE, None, "No.", "Ask.")
NOTES, NAME = Change("notes", "Notes", "old", "new"), Change("name", "Name", "Atlas", "Atlas 2")
WAITING = {"notes": Difference("old", "new", START), "name": Difference("Atlas", "Atlas 2", START)}


@pytest.fixture
def new(harness: Harness) -> Pair:
    """A pair under its lease whose opportunity has no referral yet, as a push has read it."""
    deal = harness.seller_creates(Description="Talk soon.")
    pair = acquire(harness.first.ctx, deal)
    assert isinstance(pair, Pair)
    (page,) = harness.first.ctx.salesforce.opportunities([deal], *harness.translation.read_items).pages
    pair.take_read_back(harness.translation.opportunity(page.records[0], START))
    return pair


def read(pair: Pair) -> Opportunity:
    assert pair.opportunity is not None
    return pair.opportunity


def fail(harness: Harness, kind: FaultKind, status: int = 500, body: str = "") -> None:
    harness.inject_fault(THERE, Fault(kind, method="POST", status=status, body=body))


def codes(harness: Harness, pair: Pair) -> list[str]:
    return [line.code for line in harness.store.audit(pair.id)]


def stored(harness: Harness, pair: Pair) -> Link:
    return harness.stored_link(pair.id)


# --- before a create


def test_what_is_created_is_stored_before_the_call_with_its_time(harness: Harness, new: Pair) -> None:
    fail(harness, FaultKind.DROP)
    with pytest.raises(Ambiguous):
        create_referral(harness.first.ctx, new, read(new))
    create, mark = (stored(harness, new).intent or Intent()).effects
    assert (create.kind, create.values["notes"], create.decided) == (EffectKind.CREATE_REFERRAL, "Talk soon.", START)
    assert mark.kind is EffectKind.MARK_OPPORTUNITY


@pytest.mark.parametrize("is_needed", [True, False])
def test_a_consent_is_on_record_where_one_is_needed(harness: Harness, new: Pair, *, is_needed: bool) -> None:
    policy = replace(harness.policy, needs_consent=is_needed)
    create_referral(harness.new_instance(policy).ctx, new, read(new))
    assert stored(harness, new).consented is is_needed


@pytest.mark.parametrize(("unapproved", "notes"), [((), "Talk soon."), (("notes",), None)])
def test_what_nobody_approved_is_not_sent(
    harness: Harness, new: Pair, unapproved: tuple[str, ...], notes: str | None
) -> None:
    policy = replace(harness.policy, unapproved=frozenset(unapproved))
    create_referral(harness.new_instance(policy).ctx, new, read(new))
    assert harness.referral_of(new.id)["details"].get("notes") == notes


def test_a_text_that_had_to_be_cut_is_told_and_stays_on_record(harness: Harness, new: Pair) -> None:
    new.opportunity = replace(read(new), problems={"notes": Cause(TEXT_CUT, "notes", "Too long.", "Shorten it.")})
    create_referral(harness.first.ctx, new, read(new))
    assert stored(harness, new).refused.keys() == {"partner_center.notes"}
    assert codes(harness, new) == ["created_referral", "problem"]


@pytest.mark.parametrize("wanted", ["", "Other"])
def test_a_deal_for_which_help_is_wanted_is_visible_to_microsoft(harness: Harness, new: Pair, wanted: str) -> None:
    private = Deal({**read(new).deal, VISIBILITY: "Private"})
    new.opportunity = replace(read(new), deal=private, sharing=Sharing(help=wanted))
    create_referral(harness.first.ctx, new, read(new))
    consent = harness.referral_of(new.id)["consent"]
    assert consent["consentToShareReferralWithMicrosoftSellers"] is bool(wanted)


# --- after a create


def test_a_created_referral_is_on_record_told_and_pointed_to(harness: Harness, new: Pair) -> None:
    new.take_link(replace(new.link, repeats=with_unreadable(None, THERE, START)))
    create_referral(harness.first.ctx, new, read(new))
    link = stored(harness, new)
    pointer = harness.store.pointer(link.referral_id or "")
    assert pointer is not None
    assert (pointer.value, codes(harness, new)) == (Pointer(new.id), ["created_referral"])
    assert link.repeats is None or not link.repeats.unreadable


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_that_an_outcome_is_unknown_is_told_once_however_often_a_gateway_answers(
    harness: Harness, new: Pair, tries: int
) -> None:
    for _ in range(tries):
        new.take_link(replace(new.link, repeats=with_unreadable(new.link.repeats, THERE, START)))
    fail(harness, FaultKind.ANSWER, status=400, body=PAGE)
    with pytest.raises(Ambiguous):
        create_referral(harness.first.ctx, new, read(new))
    link = stored(harness, new)
    assert codes(harness, new) == (["create_unconfirmed"] if tries == 0 else [])
    assert link.repeats is not None
    assert link.repeats.tries(THERE) == tries + 1
    assert link.unwritten
    assert [effect.ended for effect in (link.intent or Intent()).effects] == [True, False]


def test_the_time_that_is_told_is_the_end_of_the_lease_and_of_the_settle_time(harness: Harness, new: Pair) -> None:
    fail(harness, FaultKind.DROP)
    ctx = harness.first.ctx
    with pytest.raises(Ambiguous):
        create_referral(ctx, new, read(new))
    (line,) = harness.store.audit(new.id)
    assert line.values == {"until": f"{START + ctx.policy.lease + ctx.policy.settle_time:%H:%M}"}


def test_a_refused_deal_is_parked_and_told_and_waits_for_an_edit(harness: Harness, new: Pair) -> None:
    body = {"code": "BadRequest", "message": "No.", "details": []}
    fail(harness, FaultKind.ANSWER, status=400, body=str(body).replace("'", '"'))
    create_referral(harness.first.ctx, new, read(new))
    assert new.outcome is not None
    assert (new.outcome.result, new.outcome.at, len(codes(harness, new))) == (Result.PARKED, None, 1)
    assert stored(harness, new).state is State.PARKED


def test_a_deal_that_no_gateway_lets_through_is_not_sent_and_tried_again_in_an_hour(
    harness: Harness, new: Pair
) -> None:
    for hour in range(6):
        repeats = with_unreadable(new.link.repeats, THERE, START - timedelta(hours=6 - hour))
        new.take_link(replace(new.link, repeats=repeats))
    create_referral(harness.first.ctx, new, read(new))
    assert new.outcome == Outcome(Result.PARKED, UNREADABLE, START + TRY_AGAIN, pushed=new.id)
    assert (harness.our_referrals(), len(codes(harness, new))) == ([], 1)
    assert WHOLE in stored(harness, new).refused


# --- a create of unknown outcome


@pytest.mark.parametrize("ours", [{}, {"externalReferenceId": "006000000000009AAA"}, {"externalReferenceId": None}])
def test_only_the_referral_that_names_the_opportunity_is_found(
    harness: Harness, new: Pair, ours: dict[str, object]
) -> None:
    made = harness.partner_center.portal_creates({"name": "Atlas", "externalReferenceId": new.id, **ours})
    fail(harness, FaultKind.DROP)
    with pytest.raises(Ambiguous):
        create_referral(harness.first.ctx, new, read(new))
    new.interrupted = new.link.intent or Intent()
    harness.advance_time(MINUTE)
    found = find_created_referral(harness.first.ctx, new)
    assert (found["id"] if found else None) == (None if ours else made)


# --- pointers


@pytest.mark.parametrize(
    "known", [None, Pointer("006"), Pointer("", lead=KnownLead("00Q", "7")), Pointer("other", inbox="Failed")]
)
def test_a_pointer_leads_to_the_link_and_keeps_what_a_lead_is(harness: Harness, known: Pointer | None) -> None:
    if known is not None:
        harness.store.insert_pointer("ref", known)
    point_to_link(harness.first.ctx, "ref", "006")
    entry = harness.store.pointer("ref")
    assert entry is not None
    assert entry.value == Pointer("006", lead=known.lead if known else None)
    writes = harness.first.process.calls
    assert (writes.count("store.insert_pointer"), writes.count("store.replace_pointer")) == (
        int(known is None),
        int(known not in (None, Pointer("006"))),
    )


# --- changes


@pytest.fixture
def linked(harness: Harness) -> Pair:
    """A pair under its lease with a referral, and a plan to send notes and a name."""
    harness.partner_center.switches.extra_paths = ("/name",)
    created = harness.partner_center.portal_creates({"name": "Atlas", "details": {"notes": "old"}})
    ctx = harness.first.ctx
    referral, pair = ctx.translation.referral(ctx.partner_center.get(created)), acquire(ctx, "006")
    assert isinstance(pair, Pair)
    pair.take_link(replace(pair.link, referral_id=created, base=referral.deal))
    edited = Deal({**referral.deal, "notes": "new", "name": "Atlas 2"})
    pair.take_read_back(Opportunity("006", edited, flagged=True, modified=START, referral_id=created))
    pair.take_referral(referral)
    pair.take_plan(Plan(referral.deal, (NOTES, NAME)))
    return pair


def patch(harness: Harness, pair: Pair, *changes: Change) -> None:
    assert pair.referral is not None
    assert patch_referral(harness.first.ctx, pair, pair.referral, changes) is None


def test_changes_are_confirmed_told_and_logged(harness: Harness, linked: Pair) -> None:
    patch(harness, linked, NOTES)
    link = stored(harness, linked)
    assert (link.base["notes"], len(codes(harness, linked))) == ("new", 1)
    assert [effect.kind for effect in (link.intent or Intent()).effects] == [EffectKind.MARK_OPPORTUNITY]
    assert [fields["fields"] for fields in harness.first.log.fields_of("referral_patched")] == [["notes"]]


@pytest.mark.parametrize(("changes", "is_forgotten"), [((NOTES, NAME), True), ((NOTES,), False)])
def test_unreadable_refusals_are_forgotten_once_all_changes_of_the_plan_are_taken(
    harness: Harness, linked: Pair, changes: tuple[Change, ...], *, is_forgotten: bool
) -> None:
    linked.take_link(replace(linked.link, repeats=with_unreadable(None, THERE, START)))
    patch(harness, linked, *changes)
    repeats = stored(harness, linked).repeats
    assert (repeats is None or not repeats.unreadable) is is_forgotten


def test_what_the_changes_have_waited_is_kept_until_they_are_taken(harness: Harness, linked: Pair) -> None:
    linked.entry = replace(linked.entry, value=replace(linked.entry.value, waiting=WAITING))
    harness.inject_fault(THERE, Fault(FaultKind.DROP, method="PATCH"))
    assert linked.referral is not None
    with pytest.raises(Exception):  # noqa: B017, PT011 # whatever the client makes of it
        patch_referral(harness.first.ctx, linked, linked.referral, (NOTES,))
    assert stored(harness, linked).waiting == {"notes": WAITING["notes"]}
    patch(harness, linked, NOTES)
    assert stored(harness, linked).waiting == {}


@pytest.mark.parametrize(("cause", "at"), [(REFUSED, None), (UNREAD, START + TRY_AGAIN)])
def test_refused_changes_are_parked_and_told_and_wait_for_an_edit_if_they_may(
    harness: Harness, linked: Pair, cause: Cause, at: object
) -> None:
    linked.take_link(replace(linked.link, waiting=WAITING))
    park_changes(harness.first.ctx, linked, (NOTES,), cause)
    assert linked.outcome == Outcome(Result.PARKED, cause.code, at, pushed=linked.id)  # type: ignore[arg-type] # a time
    assert (stored(harness, linked).waiting, len(codes(harness, linked))) == ({}, 1)
