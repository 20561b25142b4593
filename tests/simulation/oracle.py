"""Judges what a simulation left behind, from the raw records of both systems, the Audit field and the log of edits.

It knows nothing of the connector: no base, no plan, no store. Its promises are those of docs/protocol.md:

lost       each edit is on both sides, or a person replaced it, or the audit shows it with the value that replaced it
doubled    one referral has one opportunity, and the reverse; a customer has one account; no audit entry stands twice
differs    both sides hold the same values, and the audit names each other difference
marked     the mark says how the sync stands
unasked    Microsoft gets no status that only automation has set
help       Microsoft is asked for the help that a seller has chosen, or the mark says that something is wrong; the audit
           tells a request once
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.simulation.held_back import (
    HELP_MARKS,
    HELP_WORDS,
    is_asked_about,
    is_copy,
    is_told_foreign,
    may_differ,
    waits_for_reason,
    was_ignored,
)
from tests.simulation.held_values import (
    FIELDS,
    HELP_COLUMN,
    LOST,
    OPEN,
    PARTNER_CENTER,
    SALESFORCE,
    UNANSWERED,
    Edit,
    Record,
    belongs_to,
    has_set_back,
    holds,
    is_replaced,
    of_opportunity,
    of_referral,
    takes,
)

LABELS = {
    "name": ("Opportunity Name", "Opportunity Name"),
    "money": ("Amount", "dealValue"),
    "closing": ("Close Date", "closingDateTime"),
    "notes": ("Description", "notes"),
    "status": ("Stage", "change this deal"),
}
"""Words that name a value in the audit. The first one is the label of its field."""
ENTRY = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC - ", re.MULTILINE)
ARROW = "→"
"""Stands between the old and the new value of a change that was written."""
OTHER_END = re.compile("Closed/(Declined|Expired|Error)")
SHOWN = 60
"""Characters of a long text that must stand in the audit: the audit may cut the rest."""


@dataclass(frozen=True)
class Left:
    """What is left at the end: all records of both systems, and the log of edits.

    The first `judged` edits were judged before. They may have been replaced since then.
    """

    opportunities: Sequence[Record]
    referrals: Sequence[Record]
    accounts: Sequence[Record]
    contacts: Sequence[Record]
    edits: Sequence[Edit]
    judged: int = 0
    unasked: Sequence[Edit] = ()
    """The edits that automation made."""
    asked: Sequence[Record] = ()
    """The records of Microsoft's."""
    takes_names: bool = False
    """Whether Partner Center takes a new name."""


@dataclass(frozen=True)
class Pair:
    """An opportunity and its referral, with the audit and the edits of both; those in `new` are not judged yet."""

    opportunity: Record
    referral: Record
    audit: Sequence[tuple[datetime, str]]
    edits: Sequence[Edit]
    new: Sequence[Edit]
    unasked: Sequence[Edit] = ()
    takes_names: bool = False

    @property
    def is_ticked(self) -> bool:
        """Whether the seller wants it to be synced."""
        return bool(self.opportunity["Sync_with_Partner_Center__c"])

    @property
    def lists_differ(self) -> bool:
        """Whether the sides hold other solutions or people: `lists.py` judges them.

        Where people ask for help, they add a contact, which a deal that is shared takes no more.
        """
        ids = {tag["id"] for tag in self.referral["details"]["requirements"]["solutions"]}
        people = {one["email"] for one in self.referral["customerProfile"]["team"] or ()}
        contacts = set(self.opportunity.get("contacts", people))
        unsent = [entry for _, entry in self.audit if "not sent" in entry]
        if any(label in entry for label in ("Contact Roles", "Opportunity Owner") for entry in unsent):
            return True
        return contacts != people or ids != set(str(self.opportunity["Products__c"] or "").replace(";", " ").split())

    def held(self, side: str, field: str) -> str | None:
        """The value that a side holds."""
        values = of_opportunity(self.opportunity) if side == SALESFORCE else of_referral(self.referral)
        return values[field]


def judge(left: Left) -> list[str]:
    """Every broken promise, as a sentence; empty if all is well."""
    findings = [*doubled_records(left), *unpaired_records(left)]
    for pair in pairs(left):
        if is_told_foreign(pair.opportunity, pair.referral):
            continue
        if pair.is_ticked:  # without a tick nothing is written, the audit included
            findings += [*lost_edits(pair), *unexplained_differences(pair), *wrong_marks(pair)]
            findings += [*doubled_entries(pair), *wrong_help(pair, left.asked)]
        findings += answers_of_nobody(pair)
    return findings


def pairs(left: Left) -> Iterator[Pair]:
    """Each opportunity with its referral."""
    for opportunity in left.opportunities:
        for referral in left.referrals:
            if belongs_to(opportunity, referral):
                ids = (opportunity["Id"], referral["id"])
                edits = [edit for edit in left.edits if edit.record in ids]
                new = [edit for edit in left.edits[left.judged :] if edit.record in ids]
                yield Pair(
                    opportunity, referral, audit_entries(opportunity), edits, new, left.unasked, left.takes_names
                )


def audit_entries(opportunity: Record) -> list[tuple[datetime, str]]:
    """The entries of the audit, newest first: the time, and the text as one line."""
    _, *parts = ENTRY.split(opportunity["Audit__c"] or "")
    times = [datetime.fromisoformat(f"{at}+00:00") for at in parts[::2]]
    return list(zip(times, (" ".join(text.split()) for text in parts[1::2]), strict=True))


# --- lost


def lost_edits(pair: Pair) -> Iterator[str]:
    """Edits that are nowhere any more."""
    for field in FIELDS:
        log = [edit for edit in pair.edits if edit.field == field]
        for edit in log:
            is_there = holds(field, pair.held(edit.side, field), edit.after)
            if edit in pair.new and not (is_there or is_replaced(edit, log) or _is_in_audit(edit, pair, log)):
                yield f"lost: {edit.side} {field} {edit.after!r} of {edit.at:%H:%M:%S} in {edit.record}"


def _is_in_audit(edit: Edit, pair: Pair, log: Sequence[Edit]) -> bool:
    """Whether the audit shows the value as discarded or replaced, with the value of another edit."""
    place = log.index(edit)
    others = {one.after for one in log if one.after != edit.after}
    others |= {OPEN} if edit.field == "status" and pair.referral["externalReferenceId"] else set()
    newer = {one.after for one in log[:place] if one.after != edit.before} | {one.after for one in log[place + 1 :]}
    if _may_return(edit, pair, log):
        newer.add(edit.before)
    return any(
        _shows_change(entry, edit, newer - {edit.after}) if ARROW in entry else _shows_both(entry, edit, others)
        for _, entry in pair.audit
    )


def _may_return(edit: Edit, pair: Pair, log: Sequence[Edit]) -> bool:
    """Whether the value that the person saw and changed may come back without a word about a conflict.

    It may if the connector brought it and did not know that it had arrived, or if a write to a `touched` one broke off.
    One is touched too where somebody changed a value and set it back: nothing but our write seems to explain that.
    """
    is_touched = bool(pair.referral.get("touched")) or has_set_back(pair.edits, PARTNER_CENTER)
    is_touched &= edit.side == SALESFORCE
    is_brought = any(one.after == edit.before and one.side != edit.side for one in log)
    known = (entry.rpartition(ARROW)[2] for at, entry in pair.audit if at < edit.at and ARROW in entry)
    return is_touched or (is_brought and not any(_shows(new, edit.before) for new in known))


def _shows_both(entry: str, edit: Edit, others: set[str | None]) -> bool:
    return _shows(entry, edit.after) and any(_shows(entry, other) for other in others)


def _shows_change(entry: str, edit: Edit, others: set[str | None]) -> bool:
    """Whether an entry about one changed field shows the value as the old one, with another's value as the new one."""
    old, _, new = entry.partition(ARROW)
    is_of_field = LABELS[edit.field][0] in old
    return is_of_field and _shows(old, edit.after) and any(_shows(new, other) for other in others)


def _shows(text: str, value: str | None) -> bool:
    """Whether a text of the audit shows a value, or says empty or emptied; the ends that count as lost are alike."""
    return ("empt" if value is None else " ".join(value.split())[:SHOWN]) in OTHER_END.sub(LOST, text)


# --- doubled


def doubled_entries(pair: Pair) -> Iterator[str]:
    """Entries of the audit that stand twice, with one time and one text."""
    counts = Counter(pair.audit)
    yield from (f"doubled: {text!r} of {at} stands {times} times" for (at, text), times in counts.items() if times > 1)


def doubled_records(left: Left) -> Iterator[str]:
    """Records that exist twice."""
    keys = Counter(
        f"reference {record['externalReferenceId']}" for record in left.referrals if record["externalReferenceId"]
    )
    keys += Counter(
        f"identifier {record['Referral_Identifier__c']}"
        for record in left.opportunities
        if record["Referral_Identifier__c"]
    )
    keys += Counter(f"account {record['Name']}, {record['BillingCountry']}" for record in left.accounts)
    keys += Counter(f"contact {record['Email']}" for record in left.contacts)
    yield from (f"doubled: {key} exists {times} times" for key, times in keys.items() if times > 1)


def unpaired_records(left: Left) -> Iterator[str]:
    """Records without a partner, or with several."""
    for referral in left.referrals:
        count = sum(belongs_to(opportunity, referral) for opportunity in left.opportunities)
        if count != 1:
            yield f"unpaired: the referral {referral['id']} has {count} opportunities"
    for opportunity in left.opportunities:
        count = sum(belongs_to(opportunity, referral) for referral in left.referrals)
        if count > 1 or (count == 0 and _must_be_shared(opportunity) and not is_asked_about(opportunity)):
            yield f"unpaired: the opportunity {opportunity['Id']} has {count} referrals"
        elif count == 0 and _must_be_shared(opportunity) and not is_copy(opportunity, left.opportunities):
            yield f"asked: the opportunity {opportunity['Id']} equals no open deal"
        elif count == 0 and opportunity["Sync_with_Partner_Center__c"] and not opportunity["Audit__c"]:
            yield f"unexplained: the opportunity {opportunity['Id']} has no referral, and its audit is empty"


def _must_be_shared(opportunity: Record) -> bool:
    is_complete = opportunity["Amount"] is not None and opportunity["Amount"] >= 0
    is_answered = of_opportunity(opportunity)["status"] != UNANSWERED
    may_lack = opportunity[HELP_COLUMN] is not None  # what Microsoft demands
    return bool(opportunity["Sync_with_Partner_Center__c"]) and is_complete and is_answered and not may_lack


# --- differs


def unexplained_differences(pair: Pair) -> Iterator[str]:
    """Values that differ although both sides could hold one value, or without a word in the audit."""
    for field in FIELDS:
        ours, theirs = pair.held(SALESFORCE, field), pair.held(PARTNER_CENTER, field)
        is_held = field == "status" and _is_held(pair)
        if ours == theirs or is_held or was_ignored(pair.opportunity, LABELS[field][0], ours, theirs):
            continue
        is_taken = takes(pair.referral, field, ours) and (field != "name" or pair.takes_names)
        if is_taken or not _is_of_a_seller(pair, field, ours):
            yield f"differs: {field} of {pair.opportunity['Id']}: {ours!r} and {theirs!r}"
        elif not _is_named(pair, field, ours):
            yield f"unnamed: {field} of {pair.opportunity['Id']}: {ours!r} and {theirs!r} are not in the audit"


def _is_of_a_seller(pair: Pair, field: str, value: str | None) -> bool:
    """Whether a person entered the value that Salesforce holds; notes may be joined with the other side's text."""
    entered = [edit.after for edit in pair.edits if edit.field == field and edit.side == SALESFORCE]
    return any(holds(field, value, one) for one in entered)


def _is_held(pair: Pair) -> bool:
    """Whether a stage is not sent until somebody has answered: who chose it, or why the deal is lost."""
    return _is_question(pair) or waits_for_reason(pair.opportunity, pair.referral)


def _is_question(pair: Pair) -> bool:
    """Whether the audit asks for the stage, and the mark says that somebody must act."""
    asked = f"Stage {pair.opportunity['StageName']} may be set by automation"
    return pair.opportunity["Sync_Status__c"] == "Failed" and any(asked in entry for _, entry in pair.audit)


def answers_of_nobody(pair: Pair) -> Iterator[str]:
    """A status in Partner Center that no person has chosen. The service opens the referrals of our own deals."""
    status, is_ours = pair.held(PARTNER_CENTER, "status"), pair.referral["externalReferenceId"]
    chosen = {edit.after for edit in pair.edits if edit.field == "status" and edit not in pair.unasked}
    if status not in chosen | ({OPEN} if is_ours else set()):
        yield f"unasked: nobody has chosen {status} of {pair.referral['id']}"


def _is_named(pair: Pair, field: str, value: str | None) -> bool:
    entries = [entry for _, entry in pair.audit if any(label in entry for label in LABELS[field])]
    words = {"emptied" if value is None else value, "above 0" if value and value.startswith("-") else value}
    return any(_shows(entry, word) for entry in entries for word in words)


# --- marked


def wrong_marks(pair: Pair) -> Iterator[str]:
    """A mark that does not fit two sides that agree."""
    if any(pair.held(SALESFORCE, field) != pair.held(PARTNER_CENTER, field) for field in FIELDS):
        return
    mark = pair.opportunity["Sync_Status__c"]
    differs = pair.lists_differ or may_differ(pair.opportunity, pair.referral)
    if mark == "Synced with differences" and differs:
        return
    if mark in HELP_MARKS and any(words in entry for words in HELP_WORDS for _, entry in pair.audit):
        return
    wanted = "Waiting" if pair.held(PARTNER_CENTER, "status") == UNANSWERED else "Synced"
    if mark != wanted:
        yield f"marked: {pair.opportunity['Id']} agrees, and its mark is {mark}"


# --- help


REQUESTS = ("Microsoft was asked for help: ", "has been asked for help with this deal already: ")
"""How the audit tells a request: ours, or a colleague's."""


def wrong_help(pair: Pair, asked: Sequence[Record]) -> Iterator[str]:
    """Help that a seller has chosen and nobody asked for, and a request that the audit does not tell once."""
    opportunity, engagement = pair.opportunity, pair.referral["engagementId"]
    records = [record for record in asked if record["engagementId"] == engagement]
    told = sum(words in entry for words in REQUESTS for _, entry in pair.audit)
    if len(records) > 1:
        yield f"doubled: Microsoft has {len(records)} records in {engagement}"
    mark, is_open = opportunity["Sync_Status__c"], pair.held(PARTNER_CENTER, "status") == OPEN
    if not opportunity[HELP_COLUMN] or not is_open or mark in HELP_MARKS:
        return
    if mark != "Synced":
        yield f"help: {opportunity['Id']} is {mark}"
    if not records:
        yield f"help: nobody asked Microsoft for {opportunity['Id']}"
    elif told != 1:
        yield f"help: the audit of {opportunity['Id']} tells {told} requests"
