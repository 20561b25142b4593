"""Conditional requests, alone and inside Composite (docs/reference/salesforce.md#conditional-requests)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession

PATH = "/sobjects/Opportunity"


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


@pytest.fixture
def changed_deal(api: ApiSession) -> tuple[str, datetime]:
    """A deal and the second of its last change."""
    deal = api.create_deal()
    return deal, datetime.fromisoformat(api.emulator.record("Opportunity", deal)["LastModifiedDate"])


@pytest.mark.parametrize(("seconds", "status"), [(-1, 412), (0, 204), (1, 204)])
def test_a_write_succeeds_unless_the_record_changed_in_a_later_second(
    api: ApiSession, changed_deal: tuple[str, datetime], seconds: int, status: int
) -> None:
    deal, moment = changed_deal
    condition = {"If-Unmodified-Since": _http_date(moment + timedelta(seconds=seconds))}
    answer = api("PATCH", f"{PATH}/{deal}", {"Name": "New"}, condition)
    assert (answer.status, answer.body) == (status, b"")
    assert api.emulator.record("Opportunity", deal)["Name"] == ("Deal" if status == 412 else "New")


def test_a_change_in_the_same_second_is_not_noticed(api: ApiSession, changed_deal: tuple[str, datetime]) -> None:
    deal, moment = changed_deal
    api.emulator.clock.advance(0.3)
    api.emulator.edit("Opportunity", deal, {"NextStep": "overwritten"})
    answer = api("PATCH", f"{PATH}/{deal}", {"NextStep": "new"}, {"If-Unmodified-Since": _http_date(moment)})
    assert answer.status == 204


def test_a_date_in_another_time_zone_is_accepted_and_a_bad_one_refused(
    api: ApiSession, changed_deal: tuple[str, datetime]
) -> None:
    deal, _ = changed_deal
    east = {"If-Unmodified-Since": "Fri, 20 Nov 2026 11:00:00 +0100"}
    assert api("PATCH", f"{PATH}/{deal}", {"Name": "x"}, east).status == 204
    assert api("PATCH", f"{PATH}/{deal}", {"Name": "x"}, {"If-Unmodified-Since": "yesterday"}).status == 400


def test_a_conditional_read_is_answered_with_304_or_412(api: ApiSession, changed_deal: tuple[str, datetime]) -> None:
    deal, moment = changed_deal
    same, before = _http_date(moment), _http_date(moment - timedelta(seconds=1))
    assert api("GET", f"{PATH}/{deal}", headers={"If-Modified-Since": same}).status == 304
    assert api("GET", f"{PATH}/{deal}", headers={"If-Modified-Since": before}).status == 200
    assert api("GET", f"{PATH}/{deal}", headers={"If-Unmodified-Since": before}).status == 412


def test_an_upsert_may_carry_a_condition(api: ApiSession) -> None:
    api.create_deal(Referral_Identifier__c="R1")
    past = {"If-Unmodified-Since": _http_date(datetime(2026, 1, 1, tzinfo=UTC))}
    assert api("PATCH", f"{PATH}/Referral_Identifier__c/R1", {"Name": "x"}, past).status == 412


def test_inside_composite_each_condition_applies_to_its_own_record(
    api: ApiSession, changed_deal: tuple[str, datetime]
) -> None:
    unchanged, moment = changed_deal
    api.emulator.clock.advance(5)
    edited = api.create_deal(Name="edited meanwhile")
    subrequests = [
        {
            "method": "PATCH", "url": f"/services/data/v66.0{PATH}/{deal}", "referenceId": f"r{place}",
            "httpHeaders": {"If-Unmodified-Since": _http_date(moment)}, "body": {"NextStep": "new"},
        }
        for place, deal in enumerate([unchanged, edited])
    ]  # fmt: skip
    retrieve = {"ids": [unchanged, edited], "fields": ["NextStep"]}
    url = "/services/data/v66.0/composite/sobjects/Opportunity"
    subrequests.append({"method": "POST", "url": url, "referenceId": "read", "body": retrieve})
    answer = api("POST", "/composite", {"compositeRequest": subrequests, "collateSubrequests": False})
    results = answer.json()["compositeResponse"]
    assert [(result["httpStatusCode"], result["body"]) for result in results[:2]] == [(204, None), (412, None)]
    assert [record["NextStep"] for record in results[2]["body"]] == ["new", None]


def test_describe_is_answered_with_304_while_the_schema_is_unchanged(api: ApiSession) -> None:
    now = _http_date(datetime.now(UTC) + timedelta(days=1))
    assert api("GET", f"{PATH}/describe", headers={"If-Modified-Since": now}).status == 304
    described = api("GET", f"{PATH}/describe").json()
    stages = next(field for field in described["fields"] if field["name"] == "StageName")["picklistValues"]
    assert [stage["value"] for stage in stages][-3:] == ["Closed Won", "Closed Lost", "On Hold"]
    children = {child["relationshipName"] for child in described["childRelationships"]}
    assert children == {"OpportunityContactRoles", "Cosell_Solutions__r"}
