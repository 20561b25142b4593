"""A referral as it becomes an opportunity: what it lacks, what stands in for that, and what does not fit.

A default that we chose is no seller's value: it stays on record, and is never sent to Partner Center
(docs/protocol.md#defaults-of-an-arrival).
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct

from shared.domain.answer_clock import answer_time
from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.creation_values import CONTACTS_CUT, PART_LEFT_OUT, cut_texts
from shared.domain.deal import TEAM, Deal, Person, Side, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.foreign_money import foreign_lines, foreign_records, given_to_salesforce
from shared.domain.hidden_columns import hidden_column_lines, hidden_column_records
from shared.domain.left_members import extra_members, left_key, left_records, mark_of, told_mark
from shared.domain.link import (
    CHOSEN_DEFAULT,
    REFUSED_BY_SALESFORCE,
    SET_AT_CREATION,
    TRY_AGAIN,
    Difference,
    Effect,
    EffectKind,
    Link,
    Unshown,
)
from shared.domain.link_states import State
from shared.domain.member_sets import Left, Member, MergedSet, SetRule, members_of, merge_sets, without_details
from shared.domain.own_columns import kept_refusal
from shared.domain.owner import Choice, passed_over
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause
from shared.domain.text_limits import texts_cut_on_arrival
from shared.domain.unreadable import unreadable_line, unreadable_record
from shared.domain.untaken_codes import FIXED_ADDRESS, NO_CONTACT, REFUSED_ROW

CONTACT_REFUSED = "contact_refused"
"""The code of a contact that Salesforce refused."""
_NO_ROW = {CONTACT_REFUSED: REFUSED_ROW, "person_account_contacts": NO_CONTACT, "address_fixed": FIXED_ADDRESS}
"""The codes of contacts who are tried again later, by those of the gaps that tell them."""
_PARTS = ("account_part_refused", "value_refused")
"""The codes of parts of a new account or contact that Salesforce refused."""
_PARTS_OF_NEW_ACCOUNT = ("read_only_column", "unlisted_country", "unlisted_state")
"""The codes of parts that a new account does without, because of the org; an account that exists may have them."""


class Gap(Struct, frozen=True):
    """One thing that a referral lacks. `default` is the value of the field that stands in for it, if one does.

    `refusal` is why Salesforce refused the value, in its own words.
    """

    field: str
    cause: Cause
    default: Value | None = None
    refusal: Cause | None = None


class Excess(Struct, frozen=True):
    """A list of which the opportunity holds `fitting` of `total` items; `code` is its sentence and its record."""

    field: str
    code: str
    fitting: int
    total: int


class Arrival(Struct, frozen=True):
    """What is created for a referral: the deal with its defaults, and the people who become its contacts.

    `total_people` is how many contacts the referral has. `owners` are the users who may own the deal; it is handed over
    to its owner at the end where sharing demands it. `notifies` says whether the owner is told of the deal.
    `left_out` has the columns of new records, as paths in lower case, that are not written, with the reasons; `unshown`
    has those columns of ours. `is_account_new` says that the customer's account is created too. `is_lead` says that it
    is a lead, which is not ticked; `notes` are further lines about it. `rows` are the members of other lists that
    become rows at once, by field. `makes_contacts` says whether people who are no contacts yet become some.
    """

    deal: Deal
    people: tuple[Person, ...] = ()
    total_people: int = 0
    gaps: tuple[Gap, ...] = ()
    solutions_cut: tuple[Excess, ...] = ()
    owners: tuple[Choice, ...] = ()
    is_handed_over: bool = False
    notifies: bool = False
    left_out: Mapping[str, Cause] = {}
    unshown: Mapping[str, Cause] = {}
    is_account_new: bool = False
    is_lead: bool = False
    notes: tuple[Line, ...] = ()
    makes_contacts: bool = True
    rows: Mapping[str, tuple[Member, ...]] = {}

    @property
    def excess(self) -> tuple[Excess, ...]:
        """The lists that do not fit."""
        if len(self.people) == self.total_people:
            return self.solutions_cut
        return (*self.solutions_cut, Excess("contacts", CONTACTS_CUT, len(self.people), self.total_people))

    def without_value(self, name: str) -> "Arrival":
        """The arrival without a value that Salesforce refused. The base lacks it, so a pull writes and tells it."""
        gaps = tuple(replace(gap, default=None) if gap.field == name else gap for gap in self.gaps)
        return replace(self, deal=self.deal.without(name), gaps=gaps)

    def without_refused(self, gap: Gap) -> "Arrival":
        """The arrival without the value of a field that Salesforce refused; the gap says why."""
        fewer = self.without_value(gap.field)
        return replace(fewer, gaps=(*fewer.gaps, gap))

    def without_column(self, path: str, gap: Gap) -> "Arrival":
        """The arrival without a column of a new record; the gap says why."""
        left_out = {**self.left_out, path.casefold(): gap.refusal or gap.cause}
        return replace(self, gaps=(*self.gaps, gap), left_out=left_out)

    def without_person(self, number: int, refusal: Cause) -> "Arrival":
        """The arrival without the person with this number, whom Salesforce refused."""
        values = {"contact": self.people[number], "reason": refusal.reason.rstrip("."), "remedy": refusal.remedy}
        refused = Gap("contacts", cause(CONTACT_REFUSED, "contacts", **values))
        people = (*self.people[:number], *self.people[number + 1 :])
        return replace(self, people=people, gaps=(*self.gaps, refused))

    @property
    def displaced(self) -> Deal:
        """What the referral holds where the deal has a default: nothing."""
        return Deal({gap.field: None for gap in self.gaps if gap.default is not None})


def arriving(referral: Referral, arrival: Arrival, rules: Rules, now: datetime) -> Link:
    """What the link of an opportunity holds that is created for a referral, apart from the opportunity's id.

    Each value of the referral that does not fit or cannot be read, and each default, is a difference.
    """
    refused = {one.key: one.record(now) for one in texts_cut_on_arrival(referral, rules)}
    refused |= foreign_records(referral.deal, rules, now)
    refused |= dict(unreadable_record(rule, problem, now) for rule, problem in _unreadable(referral, rules))
    refused |= default_records(Deal({name: arrival.deal[name] for name in arrival.displaced}), now)
    refused |= {key: record for key, (record, _) in _cut_texts(referral, now).items()}
    refused |= _refused_records(referral, arrival, rules, now) | hidden_column_records({}, rules, now)
    for one in arrival.excess:
        whole = fingerprint(referral.deal.get(one.field))
        refused[f"{Side.SALESFORCE}.{one.field}"] = Difference(whole, one.code, now)
    refused |= _list_records(_lists(rules), refused, referral, now)
    records = (_contact_records(rule, referral, arrival, now) for rule in _lists(rules))
    refused |= {key: one for found in records for key, one in found.items()}
    parts = (*_PARTS, *_PARTS_OF_NEW_ACCOUNT) if arrival.is_account_new else _PARTS
    for gap in arrival.gaps:
        if gap.cause.code in parts and gap.field in ("account", "contacts"):
            whole = fingerprint(referral.deal.get(gap.field))
            refused.setdefault(f"{Side.SALESFORCE}.{gap.field}", Difference(whole, PART_LEFT_OUT, now))
    taken_over = {name: value for name, value in referral.deal.items() if name in arrival.deal}
    base = carried(given_to_salesforce(Deal(taken_over), rules), rules, Side.PARTNER_CENTER)
    refusals = _refused_fields(arrival, rules)
    refusal = next((found for name, found in refusals.items() if rules[name].on_update), None)
    link = Link(
        "",
        State.PARKED if refusal else State.ON_HOLD if referral.is_unanswered and not arrival.is_lead else State.LIVE,
        referral.id,
        referral.engagement_id,
        base.with_values({name: None for name in refusals if not rules[name].on_update}).with_values(
            {rule.field: _given_members(rule, referral, arrival) for rule in _lists(rules) if rule.field in base}
            | {rule.field: None for rule in rules.updatable if rule.field == TEAM and rule.field not in base}
            | {rule.field: None for rule in rules.set_at_creation if rule.field == TEAM}  # Salesforce has not had them
        ),
        refused=refused,
        cause=refusal,
        reported=(*hidden_column_lines(rules, now), *_team_that_stays(referral, rules)),
        mapping=rules.mapping,
        sources=rules.sources,
        notice=0 if arrival.notifies else None,
        answer_by=None if arrival.is_lead else answer_time(referral, None),
    )
    return _showing(link, arrival.unshown, now)


def _lists(rules: Rules) -> list[Rule]:
    """The lists of which Salesforce takes over members."""
    return [rule for rule in rules.updatable if rule.is_set and rule.direction.owns(Side.PARTNER_CENTER)]


def _given_members(rule: Rule, referral: Referral, arrival: Arrival) -> Value | None:
    """The members of a list that the new opportunity gets at once; rows of other lists follow.

    What Salesforce says of a contact who is known there is not known yet.
    """
    if rule.field == "contacts":
        return without_details(arrival.people)
    if rule.field in arrival.rows:
        return without_details(arrival.rows[rule.field])
    return _merged_list(rule, referral.deal.get(rule.field)).value if rule.fits is not None else None


def _list_records(
    lists: Sequence[Rule], refused: Mapping[str, Difference], referral: Referral, now: datetime
) -> dict[str, Difference]:
    """The records of the members that do not fit, in place of the one that counts them."""
    return {
        key: record
        for rule in lists
        if f"{Side.SALESFORCE}.{rule.field}" in refused and rule.fits is not None
        for key, record, _ in left_records(rule, _merged_list(rule, referral.deal.get(rule.field)).left, now)
    }


def _contact_records(rule: Rule, referral: Referral, arrival: Arrival, now: datetime) -> dict[str, Difference]:
    """The record of the contacts who do not arrive, whom the lines of the arrival tell."""
    theirs = referral.deal.get(rule.field)
    extra = extra_members(theirs, members_of(arrival.people))
    if rule.field != "contacts" or not extra:
        return {}
    left = merge_sets(SetRule(rule.owners, rule.fits), None, arrival.people, theirs).left
    gaps = {gap.cause.code for gap in arrival.gaps}
    code = next((code for found, code in _NO_ROW.items() if found in gaps), left[0].code if left else REFUSED_ROW)
    told = tuple(sorted({told_mark(rule.field, Left(Side.PARTNER_CENTER, code, one)) for one in extra}))
    return {left_key(Side.SALESFORCE, rule.field): Difference(mark_of(extra), code, now, told)}


def _team_that_stays(referral: Referral, rules: Rules) -> list[str]:
    """What the link remembers of the people of our team for whom Salesforce has no place: they came with the deal."""
    lists = [rule for rule in rules.updatable if rule.field == TEAM and rule.is_set]
    keys = [left_key(Side.SALESFORCE, TEAM) for rule in lists if not rule.direction.owns(Side.PARTNER_CENTER)]
    there = extra_members(referral.deal.get(TEAM), ())
    return [f"{key}={mark_of(there)}" for key in keys if there]


def _merged_list(rule: Rule, value: Value | None) -> MergedSet:
    return merge_sets(SetRule(rule.owners, rule.fits), None, None, value)


def _showing(link: Link, unshown: Mapping[str, Cause], now: datetime) -> Link:
    """Note what the new opportunity shows; the columns of ours that Salesforce refused are written again at once."""
    if unshown:
        why = next(iter(unshown.values()))
        return replace(link, unshown=Unshown(tuple(unshown), now - TRY_AGAIN, kept_refusal(why)))
    return replace(link, mark=link.due_mark)


def _refused_fields(arrival: Arrival, rules: Rules) -> dict[str, Cause]:
    """The fields whose values Salesforce refused, with the refusals."""
    refused = ((gap.field, gap.refusal) for gap in arrival.gaps if gap.refusal is not None)
    return {name: found for name, found in refused if name in rules.by_field and name not in arrival.deal}


def _refused_records(referral: Referral, arrival: Arrival, rules: Rules, now: datetime) -> dict[str, Difference]:
    """The records of values that Salesforce refused; those that travel later too are written again hourly."""
    return {
        f"{Side.SALESFORCE}.{name}": Difference(
            fingerprint(referral.deal.get(name)),
            REFUSED_BY_SALESFORCE if rules[name].on_update else SET_AT_CREATION,
            now,
        )
        for name in _refused_fields(arrival, rules)
    }


def carried(deal: Deal, rules: Rules, side: Side) -> Deal:
    """The values of a deal that a new record takes over from `side`; the others do not travel at creation."""
    fields = {rule.field for rule in rules if rule.on_create and rule.direction.owns(side)}
    return Deal({name: value for name, value in deal.items() if name in fields})


def default_records(chosen: Deal, now: datetime) -> dict[str, Difference]:
    """The records of chosen defaults: Partner Center does not get them."""
    return {
        f"{Side.PARTNER_CENTER}.{name}": Difference(fingerprint(value), CHOSEN_DEFAULT, now)
        for name, value in chosen.items()
    }


def creation_of(referral: Referral, arrival: Arrival, rules: Rules, now: datetime) -> Effect:
    """The coming creation, with all that a run needs that finds it interrupted; `displaced` has the given members."""
    arrived = arriving(referral, arrival, rules, now)
    lists = {rule.field: arrived.base[rule.field] for rule in _lists(rules) if arrived.base.get(rule.field)}
    return Effect(
        EffectKind.CREATE_OPPORTUNITY,
        given_to_salesforce(arrival.deal, rules),
        arrival.displaced.with_values(lists),
        referral.etag,
        now,
        lines=arrival_lines(referral, arrival, rules, now),
        refused=arrived.refused,
        cause=arrived.cause,
    )


def intended_records(intended: Effect, arrived: Link, now: datetime) -> dict[str, Difference]:
    """The records of what an interrupted run set out to create; an earlier build kept only the defaults among them."""
    defaults = Deal({name: intended.values.get(name) for name, held in intended.displaced.items() if held is None})
    return {**(intended.refused if intended.lines else arrived.refused), **default_records(defaults, now)}


def intended_base(intended: Effect, rules: Rules) -> Deal:
    """The base of a deal that an interrupted run set out to create: what it gave, and lacked."""
    once = (key.partition(".") for key, known in intended.refused.items() if known.code == SET_AT_CREATION)
    left_out = {name: None for side, _, name in once if side == Side.SALESFORCE and name not in intended.values}
    base = carried(intended.values.with_values({**intended.displaced, **left_out}), rules, Side.PARTNER_CENTER)
    # An earlier build did not say which members it gives: then both sides' members are kept.
    unsaid = (rule.field for rule in rules.updatable if rule.is_set and rule.field not in intended.displaced)
    return base.without(*unsaid)


def arrival_lines(referral: Referral, arrival: Arrival, rules: Rules, now: datetime) -> tuple[Line, ...]:
    """The lines that report a created opportunity, and all that its referral lacks, or that does not fit or be read."""
    direction, side = LineDirection.FROM_PARTNER_CENTER, Side.SALESFORCE
    lines = [Line(now, "created_opportunity", direction, side), *arrival.notes, *_end_lines(referral, now)]
    lines += [cause_line(now, side, gap.field, gap.cause, direction) for gap in arrival.gaps]
    lines += [cause_line(now, side, None, one, LineDirection.NOTE) for one in passed_over(arrival.owners)]
    for one in arrival.excess:
        values: Mapping[str, str] = {"fitting": str(one.fitting), "all": str(one.total)}
        lines.append(Line(now, one.code, direction, side, one.field, values=values))
    lines += [one.line(now, direction) for one in texts_cut_on_arrival(referral, rules)]
    lines += [line for _, line in _cut_texts(referral, now).values()]
    lines += hidden_column_lines(rules, now, direction).values()
    lines += foreign_lines(referral.deal, rules, now)
    lines += [
        unreadable_line(now, direction, rule, problem)
        for rule, problem in _unreadable(referral, rules)
        if rule.field not in arrival.displaced
    ]
    return tuple(lines)


def _end_lines(referral: Referral, now: datetime) -> Iterator[Line]:
    """The line that names the end of a deal that arrives closed, where its stage says less."""
    status = referral.status
    if status is not None and status.is_final and referral.deal.get("status") != status:
        yield Line(now, "closed_as", LineDirection.NOTE, None, "status", values={"status": status.substatus})


def _cut_texts(referral: Referral, now: datetime) -> dict[str, tuple[Difference, Line]]:
    return cut_texts(referral.problems, referral.deal, Side.SALESFORCE, now)


def _unreadable(referral: Referral, rules: Rules) -> Iterator[tuple[Rule, Cause]]:
    return ((rule, found) for rule in rules.updatable if (found := referral.problems.get(rule.field)))
