import random
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from emulators.partner_center.timestamps import parse_ticks
from tests.unit.emulators.partner_center.referral_desk import Desk, code, replace


def walk(desk: Desk, query: str) -> list[dict[str, Any]]:
    """All records, following links the only safe way: by their query alone."""
    found, page = [], desk.list(query).json()
    while True:
        found += page["value"]
        if "@odata.nextLink" not in page:
            return found
        token = parse_qs(urlsplit(page["@odata.nextLink"]).query)["$skiptoken"][0]
        page = desk.list(f"$skiptoken={token}").json()


def test_pages_of_a_hundred_hold_each_referral_once(desk: Desk) -> None:
    desk.pc.populate(250)

    first = desk.list().json()
    assert (len(first["value"]), first["@odata.count"]) == (100, 250)
    assert len({record["id"] for record in walk(desk, "")}) == 250
    assert len(walk(desk, "$top=7&$skip=243")) == 7


def test_the_next_link_is_odd_as_documented_and_clean_by_switch(desk: Desk) -> None:
    desk.pc.populate(3)

    odd = desk.list("$top=2").json()["@odata.nextLink"]
    assert odd.startswith("http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=")
    desk.pc.switches.next_link = "clean"
    clean = desk.list("$top=2").json()["@odata.nextLink"]
    assert clean.startswith("https://localhost:1/v1.0/engagements/referrals?$skiptoken=")


@pytest.mark.parametrize("field", ["updatedDateTime", "createdDateTime"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_walk_keeps_the_order_asked_for(desk: Desk, field: str, direction: str) -> None:
    desk.pc.populate(30)
    chance = random.Random(1)  # noqa: S311 - a repeatable sample, no secret
    for record in chance.sample(desk.pc.referrals(), 10):
        desk.patch(record["id"], replace("/salesStage", "20"))

    stamps = [parse_ticks(record[field]) for record in walk(desk, f"$top=7&$orderby={field}%20{direction}")]

    assert len(stamps) == 30
    assert stamps == sorted(stamps, reverse=direction == "desc")


def test_a_range_of_dates_is_found_exactly(desk: Desk) -> None:
    desk.pc.clock.freeze()
    for _ in range(20):
        desk.pc.populate(1)
        desk.pc.clock.advance(1)
    stamps = sorted(parse_ticks(record["updatedDateTime"]) for record in desk.pc.referrals())
    middle = next(r["updatedDateTime"] for r in desk.pc.referrals() if parse_ticks(r["updatedDateTime"]) == stamps[10])

    for name, expected in (("ge", 10), ("gt", 9), ("le", 11), ("lt", 10), ("eq", 1), ("ne", 19)):
        found = desk.list("$filter=" + quote(f"updatedDateTime {name} {middle}"))
        assert found.json()["@odata.count"] == expected, name


def test_a_record_changed_during_a_walk_moves_to_the_front_and_is_missed(desk: Desk) -> None:
    desk.pc.populate(6)
    oldest = min(desk.pc.referrals(), key=lambda r: parse_ticks(r["updatedDateTime"]))
    page = desk.list("$top=3&$orderby=updatedDateTime%20desc").json()
    desk.patch(oldest["id"], replace("/salesStage", "20"))

    token = page["@odata.nextLink"].partition("$skiptoken=")[2]
    rest = desk.list(f"$skiptoken={token}").json()

    assert oldest["id"] not in {record["id"] for record in page["value"] + rest["value"]}
    assert len(rest["value"]) == 2


def test_select_trims_and_does_not_invent(desk: Desk) -> None:
    desk.created()

    assert set(desk.list("$select=id,eTag,%20customerProfile").json()["value"][0]) == {"id", "eTag", "customerProfile"}


@pytest.mark.parametrize(
    "query",
    [
        "$orderby=name",
        "$orderby=updatedDateTime%20up",
        "$select=nonsense",
        "$top=-1",
        "$top=ten",
        "$skip=x",
        "$skip=99999999999999999999",
        "$skip=" + "9" * 5000,
        "$top=2147483648",
        "$filter=" + "(" * 2000 + "name%20eq%20'x'" + ")" * 2000,
        "$filter=" + "not%20" * 2000 + "name%20eq%20'x'",
        "$filter=" + "%20or%20".join(["name%20eq%20'x'"] * 2000),
        "$count=maybe",
        "$expand=team",
        "$search=x",
        "$skiptoken=unknown",
        "$filter=nonsense%20eq%201",
    ],
)
def test_an_option_that_is_not_understood_is_a_400(desk: Desk, query: str) -> None:
    response = desk.list(query)

    assert (response.status, code(response)) == (400, "invalidRequest")


def test_a_new_referral_can_be_late_in_lists(desk: Desk) -> None:
    desk.pc.switches.list_lag = 30
    record = desk.created()

    assert desk.list().json()["value"] == []
    assert desk.get(record["id"]).status == 200
    desk.pc.clock.advance(31)
    assert [r["id"] for r in desk.list().json()["value"]] == [record["id"]]


def test_a_filter_field_can_be_refused(desk: Desk) -> None:
    desk.created(externalReferenceId="0065")
    query = "$filter=" + quote("externalReferenceId eq '0065'")

    assert desk.list(query).json()["@odata.count"] == 1
    desk.pc.switches.unfilterable = ("externalReferenceId",)
    assert desk.list(query).status == 400


def test_others_deals_are_not_listed(desk: Desk) -> None:
    ours = desk.pc.portal_creates()
    desk.pc.partner_creates()

    assert [record["id"] for record in desk.list().json()["value"]] == [ours]


@pytest.mark.slow
def test_ten_thousand_referrals_stay_fast(desk: Desk) -> None:
    desk.pc.populate(10_000)
    since = desk.pc.referral(desk.created()["id"])["updatedDateTime"]
    query = "$orderby=updatedDateTime%20desc&$filter=" + quote(f"updatedDateTime ge {since}")

    started = time.process_time()
    for _ in range(50):
        assert desk.list(query).json()["@odata.count"] == 1

    assert (time.process_time() - started) / 50 < 0.01
