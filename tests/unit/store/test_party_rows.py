"""What the store keeps of other parties: the deals of an engagement, and what a link has heard."""

from copy import replace

from shared.domain.link import Link
from shared.domain.microsoft_record import HeardPartner, HeardRecord
from shared.store.link_json import link_from_json, link_to_json
from shared.store.link_store import LinkStore
from shared.store.rows import Put
from shared.store.sqlite_rows import SqliteRows
from tests.unit.store.representative_store import NOW

HEARD = HeardRecord("m-1", '"1"', NOW, "Asked", "New/Pending", {"microsoft_status": "01"}, "02", is_shown=True)


def test_a_deal_without_another_party_stores_nothing_of_it() -> None:
    assert not {"microsoft", "partners"} & set(link_to_json(Link("006AA0000000010")))


def test_a_link_keeps_what_was_heard_and_what_a_later_build_added() -> None:
    link = Link("006AA0000000010", microsoft=HEARD, partners={"p-1": HeardPartner('"1"', "New/Pending", NOW)})
    assert link_from_json(link_to_json(link)) == link
    stored = {**link_to_json(link)}
    stored["microsoft"] = {**stored["microsoft"], "later": [1]}
    read = link_from_json(stored)
    assert read.microsoft is not None
    assert read.microsoft.unknown == {"later": [1]}
    assert link_to_json(read) == stored


def test_columns_that_the_org_lacked_and_our_own_people_are_kept_and_rows_without_them_are_read() -> None:
    lacking = replace(HEARD, ours=("0123456789abcdef",), lacking=("microsoft_notes", "microsoft_seller"))
    link = Link("006AA0000000010", microsoft=lacking)
    assert link_from_json(link_to_json(link)) == link
    assert not {"ours", "lacking"} & set(link_to_json(replace(link, microsoft=HEARD))["microsoft"])


def test_the_deals_of_an_engagement_and_of_another_partys_referral_are_found_in_any_letter_case() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        assert (store.deals_in_engagement("E-1"), store.deals_of_party("M-1")) == ((), ())
        store.keep_party("E-1", "M-1", ["006B"])
        store.keep_party("e-1", None, ["006A", "006B"])
        assert store.deals_in_engagement("e-1") == ("006A", "006B")
        assert store.deals_of_party("m-1") == ("006B",)


def test_a_known_party_is_not_written_again() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        store.keep_party("e-1", "m-1", ["006A"])
        before = [row.etag for row in rows.scan("", "deals")]
        store.keep_party("e-1", "m-1", ["006A"])
        assert [row.etag for row in rows.scan("", "deals")] == before


def test_a_row_that_cannot_be_read_is_written_anew() -> None:
    with SqliteRows(":memory:") as rows:
        rows.write("M|m-1", [Put("deals", b"no row")])
        store = LinkStore(rows)
        assert store.deals_of_party("m-1") == ()
        store.keep_party("e-1", "m-1", ["006A"])
        assert store.deals_of_party("m-1") == ("006A",)


def test_a_version_that_led_to_no_deal_of_ours_is_kept_until_a_deal_is_known() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        assert not store.is_none_of_ours("m-1", '"1"')
        store.keep_none_of_ours("M-1", '"1"')
        assert (store.is_none_of_ours("m-1", '"1"'), store.is_none_of_ours("m-1", '"2"')) == (True, False)
        assert store.deals_of_party("m-1") == ()
        store.keep_party("e-1", "m-1", ["006A"])
        assert (store.deals_of_party("m-1"), store.is_none_of_ours("m-1", '"1"')) == (("006A",), False)


def test_the_engagement_of_a_record_is_kept_until_a_deal_is_known() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        assert store.engagement_of_party("m-1") is None
        store.keep_engagement_of_party("M-1", "e-1")
        assert (store.engagement_of_party("m-1"), store.deals_of_party("m-1")) == ("e-1", ())
        store.keep_party("e-1", "m-1", ["006A"])
        store.keep_engagement_of_party("m-1", "e-1")
        assert (store.engagement_of_party("m-1"), store.deals_of_party("m-1")) == (None, ("006A",))
