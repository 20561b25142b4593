"""What forbids writing one field to a side (docs/protocol.md#when-a-write-is-not-allowed)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import PRIVATE, STATUS, TEAM, VISIBILITY, VISIBLE, Person, Side, Status, fingerprint
from shared.domain.field_rules import Direction, Rule
from shared.domain.forbidden_writes import Forbidden, ReferralState, forbidden_write
from shared.domain.link import REFUSED_BY_SALESFORCE, TRY_AGAIN, Difference, Link
from shared.domain.member_sets import Left
from shared.domain.merge import Merged
from shared.domain.ping_pong import PING_PONG
from shared.domain.policy import Policy
from shared.domain.repeats import Repeats, Writes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
NOTES = Rule("notes", "Notes")
ACTIVE, NEW, WON = Status("Active", "Accepted"), Status("New", "Pending"), Status("Closed", "Won")
EDIT = Merged(NOTES, "new", "new", "old", OURS)
PULLED = Merged(NOTES, "new", "old", "new", THEIRS)
LINK = Link("006", referral_id="ref")


def forbidden(
    merged: Merged,
    side: Side,
    *,
    link: Link = LINK,
    status: Status | None = ACTIVE,
    is_shared: bool = False,
    changed: datetime = LONG_AGO,
) -> Forbidden:
    return forbidden_write(link, merged, side, ReferralState(status, is_shared), Policy(), changed, NOW)


def refused(side: Side, code: str, since: datetime = NOW, value: object = "new") -> Link:
    return replace(LINK, refused={f"{side}.notes": Difference(fingerprint(value), code, since)})  # type: ignore[arg-type] # a value


def test_an_edit_may_be_written_to_either_side() -> None:
    assert forbidden(EDIT, THEIRS) == forbidden(PULLED, OURS) == Forbidden()


@pytest.mark.parametrize(
    ("merged", "side"),
    [
        (replace(EDIT, rule=replace(NOTES, direction=Direction.TO_SALESFORCE)), THEIRS),
        (replace(PULLED, rule=replace(NOTES, direction=Direction.TO_PARTNER_CENTER)), OURS),
    ],
    ids=["Salesforce does not own it", "Partner Center does not own it"],
)
def test_an_edit_of_a_side_that_does_not_own_the_field_fills_no_empty_value(merged: Merged, side: Side) -> None:
    assert forbidden(merged, side).code == "empty_at_owner"
    assert forbidden(replace(merged, edited=side), side).code is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ACTIVE, None),
        (None, None),
        (NEW, "not_answered"),
        (WON, "closed_is_final"),
        (Status("Lead", "None"), "lead_not_accepted"),
    ],
)
def test_the_status_of_the_referral_locks_partner_center_and_never_salesforce(
    status: Status | None, code: str | None
) -> None:
    assert forbidden(EDIT, THEIRS, status=status).code == code
    assert forbidden(PULLED, OURS, status=status).code is None


def test_a_stage_may_only_move_as_partner_center_allows() -> None:
    stage = Merged(Rule(STATUS, "Stage"), NEW, NEW, ACTIVE, OURS)
    assert forbidden(stage, THEIRS).code == "no_such_move"
    assert forbidden(replace(stage, value=WON), THEIRS).code is None


def test_a_deal_is_not_hidden_from_microsoft_again() -> None:
    hidden = Merged(Rule(VISIBILITY, "Visible"), PRIVATE, PRIVATE, VISIBLE, OURS)
    assert forbidden(hidden, THEIRS).code == "stays_visible"
    shown = replace(hidden, value=VISIBLE)
    assert [forbidden(shown, THEIRS, status=status).code for status in (ACTIVE, WON)] == [None, "closed_is_final"]
    assert forbidden(replace(hidden, rule=NOTES), THEIRS).code is None


def test_contacts_are_locked_once_microsoft_sees_the_deal_whether_it_is_answered_or_not() -> None:
    contacts = replace(EDIT, rule=replace(NOTES, is_locked_by_sharing=True))
    assert forbidden(contacts, THEIRS, is_shared=True).code == "contacts_locked"
    assert forbidden(contacts, THEIRS, is_shared=True, status=NEW).code == "contacts_locked"
    assert forbidden(contacts, THEIRS, is_shared=True, status=WON).code == "closed_is_final"
    assert forbidden(contacts, THEIRS, status=NEW).code == "not_answered"
    assert forbidden(contacts, THEIRS).code is None
    assert forbidden(EDIT, THEIRS, is_shared=True).code is None


def test_a_field_that_is_fixed_in_partner_center_is_written_to_salesforce_only() -> None:
    fixed = replace(NOTES, is_fixed=True)
    assert forbidden(replace(EDIT, rule=fixed), THEIRS).code == "fixed_there"
    assert forbidden(replace(PULLED, rule=fixed), OURS).code is None


@pytest.mark.parametrize("side", list(Side))
def test_a_value_is_emptied_only_on_a_side_that_accepts_that(side: Side) -> None:
    emptied = Merged(NOTES, None, None, None, side.other)
    assert forbidden(emptied, side).code == "not_clearable"
    for clearable, code in ((side, None), (side.other, "not_clearable")):
        rule = replace(NOTES, clearable=frozenset({clearable}))
        assert forbidden(replace(emptied, rule=rule), side).code == code


def test_the_last_person_of_our_team_stays_in_partner_center() -> None:
    nobody = Merged(Rule(TEAM, "Team"), None, None, (Person("Lind", email="ada@contoso.example"),), OURS)
    assert forbidden(nobody, THEIRS).code == "seller_stays"
    assert forbidden(nobody, OURS).code == "not_clearable"


# --- what was refused before


@pytest.mark.parametrize("code", ["refused_by_partner_center", "refused_by_partner_center_silently"])
def test_a_value_that_partner_center_refused_is_not_written_again_but_another_is(code: str) -> None:
    link = refused(THEIRS, code, LONG_AGO)
    assert forbidden(EDIT, THEIRS, link=link, changed=NOW) == Forbidden(code)
    assert forbidden(replace(EDIT, value="newer"), THEIRS, link=link) == Forbidden()
    assert forbidden(PULLED, OURS, link=link) == Forbidden()


def test_a_difference_that_no_service_refused_is_decided_again() -> None:
    assert forbidden(EDIT, THEIRS, link=refused(THEIRS, "not_answered")) == Forbidden()


@pytest.mark.parametrize(
    ("since", "changed", "is_tried"),
    [
        (NOW - timedelta(minutes=59), LONG_AGO, False),
        (NOW - TRY_AGAIN, LONG_AGO, True),
        (NOW - timedelta(minutes=5), NOW - timedelta(minutes=5), False),
        (NOW - timedelta(minutes=5), NOW - timedelta(minutes=4), True),
    ],
    ids=["too early", "an hour later", "nothing was changed since", "something was changed since"],
)
def test_what_salesforce_refused_is_written_again_after_an_hour_or_a_change(
    since: datetime, changed: datetime, is_tried: bool
) -> None:
    link = refused(OURS, REFUSED_BY_SALESFORCE, since)
    kept = link.refused["salesforce.notes"]
    expected = Forbidden(None, kept) if is_tried else Forbidden(REFUSED_BY_SALESFORCE)
    assert forbidden(PULLED, OURS, link=link, changed=changed) == expected


@pytest.mark.parametrize("side", list(Side))
def test_what_was_refused_without_a_reason_is_written_again_after_an_hour_only(side: Side) -> None:
    merged, code = (EDIT if side is THEIRS else PULLED), f"refused_by_{side}_unreadably"
    early, late = refused(side, code, NOW - timedelta(minutes=59)), refused(side, code, NOW - TRY_AGAIN)
    assert forbidden(merged, side, link=early, changed=NOW) == Forbidden(code)
    assert forbidden(merged, side, link=late) == Forbidden(None, late.refused[f"{side}.notes"])


def test_a_refused_value_that_a_latch_holds_meanwhile_stays_on_record() -> None:
    link = refused(THEIRS, "refused_by_partner_center_unreadably", LONG_AGO)
    found = forbidden(EDIT, THEIRS, link=link, status=WON)
    assert found == Forbidden("closed_is_final", link.refused["partner_center.notes"])


def test_a_list_that_was_refused_is_known_by_what_the_side_was_to_get() -> None:
    both = ("a", "b")
    merged = Merged(replace(NOTES, is_set=True), both, ("b",), ("a",), OURS, whole=(("a", "x"), ("b", "y")))
    for value in (both, merged.wanted_on(THEIRS), merged.change_on(THEIRS).new):
        link = refused(THEIRS, "refused_by_partner_center", value=value)
        assert forbidden(merged, THEIRS, link=link) == Forbidden("refused_by_partner_center")
    assert forbidden(merged, THEIRS, link=refused(THEIRS, "refused_by_partner_center")) == Forbidden()


def test_a_value_that_something_sets_back_each_time_is_not_written_for_an_hour() -> None:
    written = {"partner_center.notes": Writes(fingerprint("new"), (NOW,), is_stopped=True)}
    link = replace(LINK, repeats=Repeats(written=written))
    assert forbidden(EDIT, THEIRS, link=link) == Forbidden(PING_PONG)
    assert forbidden(replace(EDIT, value="newer"), THEIRS, link=link) == Forbidden()
    assert forbidden(EDIT, THEIRS, link=link, status=WON) == Forbidden("closed_is_final")
    assert forbidden(EDIT, THEIRS, link=replace(LINK, repeats=Repeats())) == Forbidden()


def test_a_refused_list_is_known_by_its_members_or_as_it_was_sent() -> None:
    ada, ben, kim = (Person(name, name, f"{name}@x.example", "1") for name in ("ada", "ben", "kim"))
    stays = (Left(THEIRS, "member_stays", kim),)
    merged = Merged(NOTES, (ada, ben), (ada, ben), (ada,), OURS, left=stays, whole=((ada, kim), (ada, ben)))
    known = ((ada, ben), merged.wanted_on(THEIRS), (ada, ben, kim))
    for value in known:
        link = refused(THEIRS, "refused_by_partner_center", value=value)
        assert forbidden(merged, THEIRS, link=link).code == "refused_by_partner_center"
    for value in (None, (ada,), (ada, kim)):
        assert forbidden(merged, THEIRS, link=refused(THEIRS, "refused_by_partner_center", value=value)).code is None


def test_a_closed_deal_is_closed_wherever_nothing_is_shared() -> None:
    shown = Merged(Rule(VISIBILITY, "Visible"), VISIBLE, VISIBLE, PRIVATE, OURS)
    policy = Policy(may_share=False)
    for status, code in ((WON, "closed_is_final"), (ACTIVE, "not_from_staging")):
        found = forbidden_write(LINK, shown, THEIRS, ReferralState(status), policy, LONG_AGO, NOW)
        assert found.code == code
