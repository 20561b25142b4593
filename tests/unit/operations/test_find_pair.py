"""Either id of a deal leads to its pair, however it is typed; any other text is refused with what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.domain.deal import Side
from shared.domain.link import Link, Pointer
from shared.foundation.errors import ConfigurationError
from shared.operations.find_pair import find_deal, find_pair
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import RetryEntry

SHORT, LONG = "006aB0000001Xyz", "006aB0000001XyzQAE"
REFERRAL = "0a1b2c3d-0000-4000-8000-000000000001"
ARRIVING = "0a1b2c3d-0000-4000-8000-000000000002"
HEARD = "0a1b2c3d-0000-4000-8000-000000000003"


@pytest.fixture
def store() -> Iterator[LinkStore]:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        store.owner("00DaB0000000001EAA")
        store.insert_link(Link(LONG, referral_id=REFERRAL))
        store.insert_pointer(REFERRAL, Pointer(LONG))
        store.insert_pointer(ARRIVING, Pointer())
        yield store


@pytest.mark.parametrize(
    "typed", [SHORT, LONG, LONG.upper(), LONG.lower(), f" {LONG}\n", REFERRAL, REFERRAL.upper(), f"{{{REFERRAL}}}"]
)
def test_either_id_leads_to_the_pair(store: LinkStore, typed: str) -> None:
    assert find_pair(store, typed).value.opportunity_id == LONG
    assert find_deal(store, typed).referral_id == REFERRAL


def test_a_referral_without_an_opportunity_is_found_but_is_no_pair(store: LinkStore) -> None:
    found = find_deal(store, ARRIVING)
    assert (found.referral_id, found.opportunity_id, found.pointer is None) == (ARRIVING, None, False)
    with pytest.raises(ConfigurationError, match="has no opportunity yet"):
        find_pair(store, ARRIVING)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "is no id of a deal: an opportunity id has 15 or 18"),
        ("001aB0000001Xyz", "is no id of a deal"),
        ("006aB0000001X\x1b[0m", "is no id of a deal"),
        ("006aB0000009Xyz", "is not ticked"),
        (SHORT.upper(), "capital and small letters are different: copy it again"),
        (f"{SHORT}AAA", "Its last three characters do not fit the others"),
        ("006zZ0000009Xyz", "not those of the organisation 00DaB0000000001EAA"),
        ("0a1b2c3d-0000-4000-8000-000000000009", "another environment"),
    ],
)
def test_another_text_is_refused_with_what_is_wrong(store: LinkStore, typed: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        find_pair(store, typed)


@pytest.mark.parametrize("typed", [HEARD, f"M|{HEARD}"])
def test_the_id_of_another_partys_record_leads_to_its_entry(store: LinkStore, typed: str) -> None:
    store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, f"M|{HEARD}", datetime(2026, 12, 2, tzinfo=UTC), "not_shown"))
    found = find_deal(store, typed)
    assert (found.key, found.is_of_other_party) == (HEARD, True)
    assert found.retry_entry is not None
    assert found.retry_entry.cause == "not_shown"
