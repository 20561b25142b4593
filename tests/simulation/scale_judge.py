"""Judges many deals: the promises of `oracle.py`, with an index in place of a search for each record's partner."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.simulation.held_values import Edit, Record
from tests.simulation.oracle import Left as Records
from tests.simulation.oracle import (
    Pair,
    answers_of_nobody,
    audit_entries,
    doubled_entries,
    doubled_records,
    lost_edits,
    unexplained_differences,
    wrong_marks,
)

NumberedEdits = Sequence[tuple[int, Edit]]


def judge_all(records: Records) -> Iterator[str]:
    """Every broken promise, as a sentence."""
    yield from doubled_records(records)
    edits = edits_by_record(records.edits)
    referrals = referrals_by_key(records.referrals)
    paired = set[str]()
    for opportunity in records.opportunities:
        found = partners_of(opportunity, referrals)
        paired |= {str(referral["id"]) for referral in found}
        if len(found) != 1:
            yield f"unpaired: the opportunity {opportunity['Id']} has {len(found)} referrals"
        for referral in found:
            yield from _judge_pair(opportunity, referral, edits)
    for referral in records.referrals:
        if referral["id"] not in paired:
            yield f"unpaired: the referral {referral['id']} has no opportunity"


def _judge_pair(opportunity: Record, referral: Record, edits: Mapping[str, NumberedEdits]) -> Iterator[str]:
    ids = str(opportunity["Id"]), str(referral["id"])
    own = [edit for _, edit in sorted(item for one in ids for item in edits.get(one, ()))]
    pair = Pair(opportunity, referral, audit_entries(opportunity), own, own)
    yield from lost_edits(pair)
    yield from unexplained_differences(pair)
    yield from wrong_marks(pair)
    yield from doubled_entries(pair)
    yield from answers_of_nobody(pair)


def edits_by_record(edits: Iterable[Edit]) -> Mapping[str, NumberedEdits]:
    """The edits of each record with their numbers: many have the same time."""
    found: dict[str, list[tuple[int, Edit]]] = {}
    for number, edit in enumerate(edits):
        found.setdefault(edit.record, []).append((number, edit))
    return found


def referrals_by_key(referrals: Iterable[Record]) -> Mapping[str, Sequence[Record]]:
    """The referrals by their id, and by their external reference."""
    found: dict[str, list[Record]] = {}
    for referral in referrals:
        for key in {str(referral["id"]).lower(), str(referral["externalReferenceId"] or referral["id"]).lower()}:
            found.setdefault(key, []).append(referral)
    return found


def partners_of(opportunity: Record, referrals: Mapping[str, Sequence[Record]]) -> Sequence[Record]:
    """The referrals that name an opportunity, or that it names."""
    keys = str(opportunity["Referral_Identifier__c"] or "").lower(), str(opportunity["Id"]).lower()
    found = {str(referral["id"]): referral for key in keys for referral in referrals.get(key, ())}
    return list(found.values())
