"""What is erased leaves no trace in either store, and what is noted of it is found again."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from msgspec.json import decode, encode

from shared.domain.audit import Line
from shared.domain.deal import Deal, Status
from shared.domain.erasure import Erasures, erased_line, purged_lead, purged_link
from shared.domain.guard_texts import ERASED
from shared.domain.leads import KnownLead
from shared.domain.link import Link, Pointer
from shared.foundation.errors import StoreConflict
from shared.operations.erase_deal import erase_in_deal, erase_in_lead
from shared.store.link_store import LinkStore
from shared.store.rows import Rows

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DEAL, REFERRAL = "006000000000001AAA", "r-1"
LINES = tuple(Line(NOW, "changed", field="notes", before="Kim Berg", after=str(number)) for number in range(60))
LINK = Link(DEAL, base=Deal(notes="Kim Berg", status=Status("Closed", "Won")))


def all_data(rows: Rows) -> Iterator[bytes]:
    """The data of the rows of the deal and of the lead, and their keys."""
    for partition in (f"O|{DEAL}", f"R|{REFERRAL}"):
        for row in rows.list(partition):
            yield from (row.data, row.key.encode())


def test_a_deal_is_purged_whole_and_its_lines_stay_in_order(rows: Rows) -> None:
    store = LinkStore(rows)
    entry = store.insert_link(LINK, LINES)
    keys = [one.key for one in store.stored_lines(DEAL)]
    assert erase_in_deal(store, entry, purged_link(LINK), erased_line, is_purge=True) == len(LINES)
    read = store.link(DEAL)
    assert read is not None
    assert read.value.base == Deal(status=Status("Closed", "Won"))
    assert [(line.at, line.before, line.after) for line in store.audit(DEAL)] == [(NOW, ERASED, ERASED)] * len(LINES)
    store.note_purged_deal(DEAL, NOW)
    assert not {*keys} & {one.key for one in store.stored_lines(DEAL)}, "a key holds a hash of the line"
    assert store.purged_deals() == {DEAL: NOW}


def test_nothing_is_erased_once_another_instance_was_faster(rows: Rows) -> None:
    store = LinkStore(rows)
    entry = store.insert_link(LINK, LINES)
    store.replace_link(entry, LINK)
    before = [*all_data(rows)]
    with pytest.raises(StoreConflict):
        erase_in_deal(store, entry, purged_link(LINK), erased_line, is_purge=True)
    assert ([*all_data(rows)], store.purged_deals()) == (before, {})


def test_a_lead_is_purged_with_its_lines(rows: Rows) -> None:
    store, lead = LinkStore(rows), KnownLead("00Q1", '"1"', "Closed/Declined", {"Phone": "0123456789abcdef"})
    entry = store.insert_pointer(REFERRAL, Pointer())
    entry = store.replace_pointer(REFERRAL, entry, Pointer(lead=lead), LINES[:3])
    erased = Pointer(lead=purged_lead(lead))
    erase_in_lead(store, REFERRAL, entry, erased, erased_line, is_purge=True)
    store.note_purged_lead(REFERRAL, NOW)
    assert [(key, known.value) for key, known in store.pointers()] == [(REFERRAL, erased)]
    assert {line.after for line in store.audit_of_lead(REFERRAL)} == {ERASED}
    assert store.purged_leads() == {REFERRAL: NOW}


def test_what_is_known_of_forgotten_persons_grows_and_its_key_stays(rows: Rows) -> None:
    store, salt = LinkStore(rows), LinkStore(rows).salt()
    store.keep_forgotten(salt, "one", {"a": 1})
    store.keep_forgotten(salt, "one", {"b": 2})
    store.keep_forgotten("of another store", "two", {"c": 3})
    known = {salt: {"one": {"a": 1, "b": 2}}, "of another store": {"two": {"c": 3}}}
    assert (len(salt), store.salt(), store.erasures()) == (32, salt, Erasures(persons=known))
    assert decode(encode(store.erasures()), type=Erasures) == store.erasures(), "as it is kept beside copies"
