"""The org's answer about its shape is kept for all instances."""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.iso_codes import COUNTRIES
from shared.domain.org_addresses import AddressLists, CountrySpelling, OrgAddresses
from shared.domain.org_shape import Column, OrgShape, RecordType
from shared.store.link_store import LinkStore
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put
from shared.store.sqlite_rows import SqliteRows
from shared.store.table_entities import MAX_PROPERTY_BYTES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEVERAL = OrgShape(
    OrgCurrencies(has_several=True, codes=frozenset({"USD", "EUR"}), has_amount_fields=True),
    frozenset({"Synced", "Failed"}),
    frozenset({"Audit__c"}),
    frozenset({"Referral_Link__c"}),
    "0.3.0",
    frozenset({"amount", "audit__c"}),
    {"amount": Column("Amount", createable=True, updateable=False)},
    has_address_picklists=True,
    has_person_accounts=True,
    record_types={"Opportunity": (RecordType("Partner", "012000000000001AAA", is_default=True),)},
    addresses=OrgAddresses(
        AddressLists(frozenset({"DE", "US"}), {"US": {"WA": "Washington"}}),
        CountrySpelling(has_names=True, names={"DE": "Deutschland"}),
    ),
    user_id="005AA0000010001AAA",
    teams="202611221000",
)


@pytest.fixture
def rows() -> Iterator[SqliteRows]:
    rows = SqliteRows(":memory:")
    yield rows
    rows.close()


def test_another_instance_reads_the_last_answer_and_its_time(rows: SqliteRows) -> None:
    first, second = LinkStore(rows), LinkStore(rows)
    assert second.org_shape() is None
    first.keep_org_shape(OrgShape(OrgCurrencies(has_several=False)), NOON - timedelta(hours=1))
    first.keep_org_shape(SEVERAL, NOON.astimezone(timezone(timedelta(hours=8))))
    assert second.org_shape() == (SEVERAL, NOON)


def test_the_answer_of_a_later_build_is_read_without_what_this_build_does_not_know(rows: SqliteRows) -> None:
    later = {"several": True, "codes": ["USD"], "fields": False, "at": NOON.isoformat(), "corporate": "USD"}
    rows.write("org", [Put("currencies", pack(later))])
    shape = OrgShape(OrgCurrencies(has_several=True, codes=frozenset({"USD"})))
    assert LinkStore(rows).org_shape() == (shape, NOON)


def test_a_column_of_a_later_build_is_read_without_what_this_build_does_not_know(rows: SqliteRows) -> None:
    first = LinkStore(rows)
    first.keep_org_shape(SEVERAL, NOON)
    row = rows.get("org", "currencies")
    assert row is not None
    stored = unpack(row.data)
    stored["columns"]["amount"].append("a later part")
    rows.write("org", [Put("currencies", pack(stored))])
    assert first.org_shape() == (SEVERAL, NOON)


@pytest.mark.parametrize("stored", [{}, [], {"several": "yes", "codes": [], "fields": True, "at": NOON.isoformat()}])
def test_an_answer_that_cannot_be_read_is_asked_for_again(rows: SqliteRows, stored: object) -> None:
    rows.write("org", [Put("currencies", pack(stored))])
    assert LinkStore(rows, log=lambda *_, **__: None).org_shape() is None


def test_the_states_of_all_countries_fit_the_row(rows: SqliteRows) -> None:
    states = {code: {f"{number:03}": f"{code} district {number}" for number in range(20)} for code in sorted(COUNTRIES)}
    shape = replace(SEVERAL, addresses=OrgAddresses(AddressLists(COUNTRIES, states)))
    LinkStore(rows).keep_org_shape(shape, NOON)
    assert LinkStore(rows).org_shape() == (shape, NOON)
    row = rows.get("org", "currencies")
    assert row is not None
    assert len(row.data) < MAX_PROPERTY_BYTES
