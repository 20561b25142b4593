"""Lists are filtered, ordered and paged as documented, with the pitfalls that clients must survive."""

import random
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from emulators.partner_center.timestamps import parse_ticks
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation


def read_all_pages(client: ReferralClient, query: str) -> list[dict[str, Any]]:
    """Return all records. Of each next link only the query is used, as a safe client does."""
    records, page = [], client.list(query).json()
    while True:
        records += page["value"]
        if "@odata.nextLink" not in page:
            return records
        token = parse_qs(urlsplit(page["@odata.nextLink"]).query)["$skiptoken"][0]
        page = client.list(f"$skiptoken={token}").json()


def test_pages_of_a_hundred_hold_each_referral_once(client: ReferralClient) -> None:
    client.emulator.populate(250)

    first = client.list().json()
    assert (len(first["value"]), first["@odata.count"]) == (100, 250)
    assert len({record["id"] for record in read_all_pages(client, "")}) == 250
    assert len(read_all_pages(client, "$skip=243")) == 7


def test_top_limits_the_results_of_all_pages_together(client: ReferralClient) -> None:
    client.emulator.populate(250)

    two = client.list("$top=2").json()
    assert (len(two["value"]), "@odata.nextLink" in two, two["@odata.count"]) == (2, False, 250)
    for top, skip, expected in ((0, 0, 0), (100, 0, 100), (150, 0, 150), (200, 0, 200), (300, 0, 250), (150, 180, 70)):
        records = read_all_pages(client, f"$top={top}&$skip={skip}")
        assert len(records) == len({record["id"] for record in records}) == expected, top
    assert len(client.list("$top=150").json()["value"]) == 100


def test_the_next_link_is_odd_as_documented_unless_the_switch_says_clean(client: ReferralClient) -> None:
    client.emulator.populate(3)
    client.emulator.switches.page_size = 2

    odd = client.list().json()["@odata.nextLink"]
    assert odd.startswith("http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=")
    client.emulator.switches.next_link = "clean"
    clean = client.list().json()["@odata.nextLink"]
    assert clean.startswith("https://localhost:1/v1.0/engagements/referrals?$skiptoken=")


@pytest.mark.parametrize("field", ["updatedDateTime", "createdDateTime"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_all_pages_together_have_the_requested_order(client: ReferralClient, field: str, direction: str) -> None:
    client.emulator.populate(30)
    client.emulator.switches.page_size = 7
    chance = random.Random(1)  # noqa: S311 - a repeatable sample, not a secret
    for record in chance.sample(client.emulator.referrals(), 10):
        client.patch(record["id"], replace_operation("/salesStage", "20"))

    times = [parse_ticks(record[field]) for record in read_all_pages(client, f"$orderby={field}%20{direction}")]

    assert len(times) == 30
    assert times == sorted(times, reverse=direction == "desc")


def test_a_filter_by_date_is_exact(client: ReferralClient) -> None:
    client.emulator.clock.freeze()
    for _ in range(20):
        client.emulator.populate(1)
        client.emulator.clock.advance(1)
    times = sorted(parse_ticks(record["updatedDateTime"]) for record in client.emulator.referrals())
    middle = next(
        r["updatedDateTime"] for r in client.emulator.referrals() if parse_ticks(r["updatedDateTime"]) == times[10]
    )

    for name, expected in (("ge", 10), ("gt", 9), ("le", 11), ("lt", 10), ("eq", 1), ("ne", 19)):
        answer = client.list("$filter=" + quote(f"updatedDateTime {name} {middle}"))
        assert answer.json()["@odata.count"] == expected, name


def test_a_record_that_changes_between_two_pages_is_missed(client: ReferralClient) -> None:
    client.emulator.populate(6)
    client.emulator.switches.page_size = 3
    oldest = min(client.emulator.referrals(), key=lambda r: parse_ticks(r["updatedDateTime"]))
    page = client.list("$orderby=updatedDateTime%20desc").json()
    client.patch(oldest["id"], replace_operation("/salesStage", "20"))

    token = page["@odata.nextLink"].partition("$skiptoken=")[2]
    rest = client.list(f"$skiptoken={token}").json()

    assert oldest["id"] not in {record["id"] for record in page["value"] + rest["value"]}
    assert len(rest["value"]) == 2


def test_select_returns_only_the_named_properties(client: ReferralClient) -> None:
    client.create()

    assert set(client.list("$select=id,eTag,%20customerProfile").json()["value"][0]) == {
        "id",
        "eTag",
        "customerProfile",
    }


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
def test_an_invalid_option_is_a_400(client: ReferralClient, query: str) -> None:
    response = client.list(query)

    assert (response.status, error_code(response)) == (400, "invalidRequest")


def test_a_new_referral_can_appear_in_lists_with_a_delay(client: ReferralClient) -> None:
    client.emulator.switches.list_lag = 30
    record = client.create()

    assert client.list().json()["value"] == []
    assert client.get(record["id"]).status == 200
    client.emulator.clock.advance(31)
    assert [r["id"] for r in client.list().json()["value"]] == [record["id"]]


def test_a_switch_makes_a_field_unfilterable(client: ReferralClient) -> None:
    client.create(externalReferenceId="0065")
    query = "$filter=" + quote("externalReferenceId eq '0065'")

    assert client.list(query).json()["@odata.count"] == 1
    client.emulator.switches.unfilterable = ("externalReferenceId",)
    assert client.list(query).status == 400


def test_deals_of_strangers_are_not_listed(client: ReferralClient) -> None:
    ours = client.emulator.portal_creates()
    client.emulator.partner_creates()

    assert [record["id"] for record in client.list().json()["value"]] == [ours]


@pytest.mark.slow
def test_ten_thousand_referrals_stay_fast(client: ReferralClient) -> None:
    client.emulator.populate(10_000)
    since = client.emulator.referral(client.create()["id"])["updatedDateTime"]
    query = "$orderby=updatedDateTime%20desc&$filter=" + quote(f"updatedDateTime ge {since}")

    started = time.process_time()
    for _ in range(50):
        assert client.list(query).json()["@odata.count"] == 1

    assert (time.process_time() - started) / 50 < 0.01
