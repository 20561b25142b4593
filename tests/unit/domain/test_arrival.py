"""A referral as it becomes an opportunity (docs/protocol.md#defaults-of-an-arrival)."""

from collections.abc import Iterable
from copy import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.arrival import (
    CONTACT_REFUSED,
    Arrival,
    Excess,
    Gap,
    arrival_lines,
    arriving,
    carried,
    creation_of,
    default_records,
    intended_base,
    intended_records,
)
from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, TEAM, Deal, Money, Person, Side, Status, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.hidden_columns import hidden_column_lines, hidden_column_records
from shared.domain.left_members import mark_of, told_mark
from shared.domain.link import TRY_AGAIN, Difference, Effect, EffectKind, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.member_sets import Left
from shared.domain.owner import Owner
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, FROM, NOTE = Side.SALESFORCE, LineDirection.FROM_PARTNER_CENTER, LineDirection.NOTE
NEW, ACTIVE, LOST = Status("New", "Pending"), Status("Active", "Accepted"), Status("Closed", "Lost")
REASON = Cause("missing", "notes", "No notes.", "Enter some.", values={})
REFUSAL = Cause("INVALID", "notes", "Too long.", "Shorten it.")
ADA, BEN = Person("Lind", "Ada", "ada@x.example", "1"), Person("Berg", "Ben", "ben@x.example", "2")


def at_most(number: int) -> Rule:
    """Contact roles that hold no more people than this."""
    return Rule("contacts", "Contacts", is_set=True, fits=lambda members: len(list(members)) <= number)


RULES = Rules({
    "name": Rule("name", "Name"), "notes": Rule("notes", "Notes", length=100), STATUS: Rule(STATUS, "Stage"),
    "account": Rule("account", "Account", on_update=False), "contacts": Rule("contacts", "Contacts", is_set=True),
    "money": Rule("money", "Amount", currencies=frozenset({"USD"})),
}, mapping="m")  # fmt: skip
DEAL = Deal(name="Atlas", notes="n", status=NEW)
REFERRAL = Referral("ref", "etag", DEAL, NOW, NEW, engagement_id="eng", created=NOW)


def linked(arrival: Arrival, referral: Referral = REFERRAL, rules: Rules = RULES) -> Link:
    return arriving(referral, arrival, rules, NOW)


def test_a_new_deal_is_on_hold_until_it_is_answered_with_what_the_opportunity_takes_over() -> None:
    link = linked(Arrival(Deal(name="Atlas", status=NEW)))
    assert (link.state, link.referral_id, link.engagement_id) == (State.ON_HOLD, "ref", "eng")
    assert link.base == Deal(name="Atlas", status=NEW)
    assert (link.mapping, link.sources, link.refused, link.reported) == ("m", RULES.sources, {}, ())
    assert (link.cause, link.notice, link.unshown, link.mark) == (None, None, None, Mark.WAITING)
    assert link.answer_by is not None
    assert link.answer_by.until == NOW + timedelta(days=14)


def test_an_answered_deal_and_a_lead_are_live_and_nobody_awaits_their_answer() -> None:
    answered = linked(Arrival(DEAL), replace(REFERRAL, status=ACTIVE))
    assert (answered.state, answered.answer_by, answered.mark) == (State.LIVE, None, Mark.SYNCED)
    lead = linked(Arrival(DEAL, is_lead=True))
    assert (lead.state, lead.answer_by) == (State.LIVE, None)


def test_the_owner_of_a_new_deal_is_to_be_told_where_the_arrival_says_so() -> None:
    assert linked(Arrival(DEAL, notifies=True)).notice == 0


def test_columns_of_ours_that_were_refused_are_written_again_at_once() -> None:
    link = linked(Arrival(DEAL, unshown={"Mark__c": REFUSAL, "Audit__c": REASON}))
    assert (link.unshown, link.mark) == (Unshown(("Mark__c", "Audit__c"), NOW - TRY_AGAIN, REFUSAL), None)


def test_a_default_is_on_record_and_is_no_value_of_partner_center() -> None:
    arrival = Arrival(Deal(name="Atlas", notes="default"), gaps=(Gap("notes", REASON, default="default"),))
    assert arrival.displaced == Deal(notes=None)
    link = linked(arrival, replace(REFERRAL, deal=Deal(name="Atlas", notes=None)))
    assert link.refused == default_records(Deal(notes="default"), NOW)
    assert default_records(Deal(notes="default"), NOW) == {
        "partner_center.notes": Difference(fingerprint("default"), "default", NOW)
    }


def test_a_value_that_salesforce_refused_parks_the_deal_and_is_written_again() -> None:
    arrival = Arrival(DEAL).without_refused(Gap("notes", REASON, refusal=REFUSAL))
    assert arrival.gaps == (Gap("notes", REASON, refusal=REFUSAL),)
    link = linked(arrival)
    assert (link.state, link.cause) == (State.PARKED, REFUSAL)
    assert link.refused["salesforce.notes"] == Difference(fingerprint("n"), "refused_by_salesforce", NOW)
    assert "notes" not in link.base
    kept = linked(Arrival(DEAL, gaps=(Gap("notes", REASON, refusal=REFUSAL), Gap("Phone", REASON, refusal=REFUSAL))))
    assert (kept.state, kept.cause) == (State.ON_HOLD, None), "the deal has a value, and Phone is no field of it"


def test_a_refused_value_that_travels_only_once_parks_nothing() -> None:
    deal = DEAL.with_values({"account": "Northwind"})
    arrival = Arrival(deal).without_refused(Gap("account", REASON, refusal=REFUSAL))
    link = linked(arrival, replace(REFERRAL, deal=deal))
    assert (link.state, link.cause, link.base["account"]) == (State.ON_HOLD, None, None)
    assert link.refused["salesforce.account"] == Difference(fingerprint("Northwind"), "set_at_creation", NOW)


def test_a_refused_default_leaves_its_field_empty_and_a_refused_column_is_written_to_no_record() -> None:
    arrival = Arrival(DEAL, gaps=(Gap("notes", REASON, "n"), Gap("name", REASON, "d")))
    assert arrival.without_value("notes") == Arrival(
        DEAL.without("notes"), gaps=(Gap("notes", REASON), Gap("name", REASON, "d"))
    )
    one, two = Gap("account", REASON, refusal=REFUSAL), Gap("account", REASON)
    fewer = Arrival(DEAL).without_column("Account.Phone", one).without_column("Account.Fax", two)
    assert (fewer.gaps, fewer.left_out) == ((one, two), {"account.phone": REFUSAL, "account.fax": REASON})


def test_a_person_whom_salesforce_refused_is_no_contact_and_the_gap_says_why() -> None:
    arrival = Arrival(DEAL, people=(ADA, BEN), total_people=2).without_person(0, REFUSAL)
    told = cause(CONTACT_REFUSED, "contacts", contact=ADA, reason="Too long", remedy="Shorten it.")
    assert (arrival.people, arrival.gaps) == ((BEN,), (Gap("contacts", told),))
    assert Arrival(DEAL, people=(ADA, BEN), total_people=2).without_person(1, REFUSAL).people == (ADA,)


def test_lists_that_do_not_fit_are_counted() -> None:
    solutions = Excess("solutions", "solutions_cut", 1, 3)
    arrival = Arrival(DEAL, people=(ADA,), total_people=2, solutions_cut=(solutions,))
    people = Excess("contacts", "contacts_cut", 1, 2)
    assert arrival.excess == (solutions, people)
    assert replace(arrival, total_people=1).excess == (solutions,)
    referral = replace(REFERRAL, deal=DEAL.with_values({"solutions": ("a", "b", "c")}))
    refused = linked(Arrival(DEAL, solutions_cut=(solutions,)), referral).refused
    assert refused == {"salesforce.solutions": Difference(fingerprint(("a", "b", "c")), "solutions_cut", NOW)}


@pytest.mark.parametrize(
    ("gaps", "code"),
    [
        ((), "row_refused"),
        ((Gap("contacts", Cause(CONTACT_REFUSED, None, "", "")),), "row_refused"),
        ((Gap("contacts", Cause("person_account_contacts", None, "", "")),), "no_contact"),
        ((Gap("contacts", Cause("address_fixed", None, "", "")),), "contact_address_fixed"),
    ],
)
def test_contacts_who_do_not_arrive_are_on_record_by_why(gaps: tuple[Gap, ...], code: str) -> None:
    referral = replace(REFERRAL, deal=DEAL.with_values({"contacts": (ADA, BEN)}))
    link = linked(Arrival(Deal(contacts=(ADA, BEN)), people=(ADA,), total_people=1, gaps=gaps), referral)
    told = (told_mark("contacts", Left(Side.PARTNER_CENTER, code, BEN)),)
    assert link.refused == {"salesforce.contacts:left": Difference(mark_of([BEN]), code, NOW, told)}
    assert link.base["contacts"] == (Person("", email="ada@x.example"),)


def test_contacts_beyond_what_salesforce_holds_are_on_record_one_by_one() -> None:
    referral = replace(REFERRAL, deal=DEAL.with_values({"contacts": (ADA, BEN)}))
    rules = Rules({**RULES.by_field, "contacts": at_most(1)})
    link = linked(Arrival(Deal(contacts=(ADA, BEN)), people=(ADA,), total_people=2), referral, rules)
    assert link.refused["salesforce.contacts:left"].code == "member_does_not_fit"
    assert link.refused["salesforce.contacts:left"].value == mark_of([BEN])


def short(members: Iterable[object]) -> bool:
    return len("; ".join(map(str, members))) <= len("a; b")


def test_a_list_in_a_text_gets_what_fits_and_rows_follow_later() -> None:
    listed = Rule("solutions", "Products", is_set=True)
    referral = replace(REFERRAL, deal=DEAL.with_values({"solutions": ("a", "b", "c")}))
    arrival = Arrival(Deal(solutions=("a", "b")))
    text = linked(arrival, referral, Rules({"solutions": replace(listed, fits=short)}))
    assert text.base["solutions"] == ("a", "b")
    rows = Rules({"solutions": replace(listed, in_rows=True)})
    assert linked(arrival, referral, rows).base["solutions"] is None
    at_once = replace(arrival, rows={"solutions": ("a",)})
    assert linked(at_once, referral, rows).base["solutions"] == ("a",)
    cut = replace(arrival, solutions_cut=(Excess("solutions", "solutions_cut", 2, 3),))
    found = linked(cut, referral, Rules({"solutions": replace(listed, fits=short)})).refused
    assert found["salesforce.solutions:left"].value == mark_of(["c"])
    assert "salesforce.solutions:left" not in linked(cut, referral, rows).refused


def test_our_team_is_in_no_base_because_salesforce_has_not_had_it() -> None:
    for rule in (Rule(TEAM, "Team", on_update=False), Rule(TEAM, "Team")):
        assert linked(Arrival(DEAL), rules=Rules({**RULES.by_field, TEAM: rule})).base[TEAM] is None
    assert TEAM not in linked(Arrival(DEAL)).base


def test_people_of_our_team_for_whom_salesforce_has_no_place_came_with_the_deal() -> None:
    sent = Rule(TEAM, "Team", is_set=True, direction=Direction.TO_PARTNER_CENTER)
    referral = replace(REFERRAL, deal=DEAL.with_values({TEAM: (ADA,)}))
    key = f"salesforce.team:left={mark_of([ADA])}"
    assert linked(Arrival(DEAL), referral, Rules({TEAM: sent})).reported == (key,)
    assert linked(Arrival(DEAL), REFERRAL, Rules({TEAM: sent})).reported == ()
    both = replace(sent, direction=Direction.BOTH)
    assert linked(Arrival(DEAL), referral, Rules({TEAM: both})).reported == ()
    assert linked(Arrival(DEAL), referral, Rules({TEAM: replace(sent, is_set=False)})).reported == ()


@pytest.mark.parametrize(
    ("code", "is_account_new", "is_left_out"),
    [
        ("account_part_refused", False, True),
        ("value_refused", False, True),
        ("read_only_column", False, False),
        ("read_only_column", True, True),
        ("unlisted_country", True, True),
        ("unlisted_state", True, True),
        ("missing", True, False),
    ],
)
@pytest.mark.parametrize("field", ["account", "contacts", "name"])
def test_a_part_that_a_new_account_or_contact_lacks_is_on_record(
    code: str, field: str, *, is_account_new: bool, is_left_out: bool
) -> None:
    gap = Gap(field, Cause(code, field, "No.", ""))
    referral = replace(REFERRAL, deal=DEAL.with_values({"account": "Northwind"}))
    link = linked(Arrival(DEAL, gaps=(gap,), is_account_new=is_account_new), referral)
    left_out = Difference(fingerprint(referral.deal.get(field)), "part_left_out", NOW)
    expected = {f"salesforce.{field}": left_out} if is_left_out and field != "name" else {}
    assert link.refused == expected


BAD = Cause("no_date", "notes", "Not a date.", "")
EUROS = Money(Decimal(5), "EUR")


def test_what_does_not_fit_or_cannot_be_read_or_is_hidden_is_on_record_and_told() -> None:
    rules = replace(RULES, hidden_columns=(("name", REASON),))
    rules = Rules({**RULES.by_field, "name": Rule("name", "Name", direction=Direction.OFF)}, "m", rules.hidden_columns)
    cut = Cause("text_cut", "title", "Cut.", "")
    deal = DEAL.with_values({"money": EUROS, "title": "t"})
    referral = replace(REFERRAL, deal=deal, problems={"status": BAD, "title": cut}, cut=frozenset({"notes"}))
    link = linked(Arrival(deal), referral, rules)
    assert {key: known.code for key, known in link.refused.items()} == {
        "salesforce.notes": "text_cut",
        "salesforce.money": "currency_not_held",
        "salesforce.status": "unreadable",
        "salesforce.title": "text_cut",
        **{key: known.code for key, known in hidden_column_records({}, rules, NOW).items()},
    }
    assert link.reported == tuple(hidden_column_lines(rules, NOW))
    assert link.base["money"] is None
    lines = arrival_lines(referral, Arrival(deal), rules, NOW)
    assert [(line.code, line.field) for line in lines] == [
        ("created_opportunity", None),
        ("longer_text", "notes"),
        ("problem", "title"),
        (REASON.code, "name"),
        ("currency_not_held", "money"),
        ("left_alone", "status"),
    ]
    assert {line.direction for line in lines if line.code in ("created_opportunity", "longer_text", REASON.code)} == {
        FROM
    }
    assert lines[-1] == Line(
        NOW, "left_alone", FROM, OURS, "status", rule="no_date", values={"label": "Stage", "reason": "Not a date."}
    )


def test_the_lines_of_an_arrival_tell_its_gaps_owners_and_excess_in_order() -> None:
    note = Line(NOW, "lead_opportunity", NOTE)
    passed = Cause("inactive_user", None, "Inactive.", "", values={})
    arrival = Arrival(
        DEAL, (ADA,), 2, gaps=(Gap("notes", REASON, "d"),), owners=(passed, Owner("1", "Ann", "rule")), notes=(note,)
    )
    assert arrival_lines(replace(REFERRAL, problems={"notes": BAD}), arrival, RULES, NOW) == (
        Line(NOW, "created_opportunity", FROM, OURS),
        note,
        cause_line(NOW, OURS, "notes", REASON, FROM),
        cause_line(NOW, OURS, None, passed, NOTE),
        Line(NOW, "contacts_cut", FROM, OURS, "contacts", values={"fitting": "1", "all": "2"}),
    )


@pytest.mark.parametrize(
    ("status", "shown", "is_told"),
    [(LOST, Status("Closed", "Won"), True), (LOST, LOST, False), (ACTIVE, NEW, False), (None, NEW, False)],
)
def test_the_end_of_a_deal_that_arrives_closed_is_named_where_its_stage_says_less(
    status: Status | None, shown: Status, *, is_told: bool
) -> None:
    referral = replace(REFERRAL, status=status, deal=DEAL.with_values({STATUS: shown}))
    lines = arrival_lines(referral, Arrival(DEAL), RULES, NOW)
    end = Line(NOW, "closed_as", NOTE, None, "status", values={"status": "Lost"})
    assert lines[1:] == ((end,) if is_told else ())


def test_only_what_travels_at_a_creation_is_taken_over() -> None:
    rules = Rules({
        "name": Rule("name", "Name"), "notes": Rule("notes", "Notes", on_create=False),
        "title": Rule("title", "Title", direction=Direction.TO_PARTNER_CENTER),
    })  # fmt: skip
    deal = Deal(name="Atlas", notes="n", title="t", other="o")
    assert carried(deal, rules, Side.PARTNER_CENTER) == Deal(name="Atlas")
    assert carried(deal, rules, OURS) == Deal(name="Atlas", title="t")


# --- an interrupted run


def test_the_intent_of_a_creation_holds_all_that_a_later_run_needs() -> None:
    deal = Deal(name="Atlas", contacts=(ADA,), money=EUROS)
    arrival = Arrival(deal, people=(ADA,), total_people=1, gaps=(Gap("name", REASON, "Atlas"),))
    referral = replace(REFERRAL, deal=DEAL.with_values({"contacts": (ADA,), "money": EUROS}))
    arrived = linked(arrival, referral)
    displaced = Deal(name=None, contacts=(Person("", email="ada@x.example"),))
    assert creation_of(referral, arrival, RULES, NOW) == Effect(
        EffectKind.CREATE_OPPORTUNITY, deal.with_values({"money": None}), displaced, "etag", NOW,
        lines=arrival_lines(referral, arrival, RULES, NOW), refused=arrived.refused,
    )  # fmt: skip
    refused = Arrival(DEAL).without_refused(Gap("notes", REASON, refusal=REFUSAL))
    assert creation_of(REFERRAL, refused, RULES, NOW).cause == REFUSAL


def test_the_base_of_an_interrupted_creation_is_what_it_gave_and_lacked() -> None:
    rules = Rules({**RULES.by_field, "solutions": Rule("solutions", "Products", is_set=True)})
    once = Difference("x", "set_at_creation", NOW)
    effect = Effect(
        EffectKind.CREATE_OPPORTUNITY, Deal(name="Atlas", notes="default", contacts=(ADA,), solutions=("a",)),
        Deal(notes=None, contacts=(BEN,)),
        refused={"salesforce.account": once, "salesforce.name": once, "partner_center.money": once},
    )  # fmt: skip
    assert intended_base(effect, rules) == Deal(name="Atlas", notes=None, contacts=(BEN,), account=None)
    other = replace(effect, refused={"salesforce.account": replace(once, code="other")})
    assert "account" not in intended_base(other, rules)


def test_the_records_of_an_interrupted_creation_are_its_own_or_those_of_the_arrival() -> None:
    mine, arrived = {"a": Difference("x", "c", NOW)}, Link("", refused={"b": Difference("y", "c", NOW)})
    effect = Effect(
        EffectKind.CREATE_OPPORTUNITY, Deal(notes="d", name="Atlas"), Deal(notes=None, name="given"),
        lines=(Line(NOW, "created_opportunity"),), refused=mine,
    )  # fmt: skip
    defaults = default_records(Deal(notes="d"), NOW)
    assert intended_records(effect, arrived, NOW) == {**mine, **defaults}
    assert intended_records(replace(effect, lines=()), arrived, NOW) == {**arrived.refused, **defaults}
