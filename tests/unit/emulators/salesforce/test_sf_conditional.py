"""Conditional requests: whole seconds, alone and inside Composite (reference/salesforce.md 2.10)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.unit.emulators.salesforce.rest_bench import Api

PATH = "/sobjects/Opportunity"


def _http(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


@pytest.fixture
def changed(api: Api) -> tuple[str, datetime]:
    """A deal and the second of its last change."""
    deal = api.deal()
    return deal, datetime.fromisoformat(api.emulator.record("Opportunity", deal)["LastModifiedDate"])


@pytest.mark.parametrize(("seconds", "status"), [(-1, 412), (0, 204), (1, 204)])
def test_a_write_depends_on_the_second_of_the_last_change(
    api: Api, changed: tuple[str, datetime], seconds: int, status: int
) -> None:
    deal, moment = changed
    condition = {"If-Unmodified-Since": _http(moment + timedelta(seconds=seconds))}
    answer = api("PATCH", f"{PATH}/{deal}", {"Name": "New"}, condition)
    assert (answer.status, answer.body) == (status, b"")
    assert api.emulator.record("Opportunity", deal)["Name"] == ("Deal" if status == 412 else "New")


def test_a_change_in_the_same_second_slips_through(api: Api, changed: tuple[str, datetime]) -> None:
    deal, moment = changed
    api.emulator.clock.advance(0.3)
    api.emulator.edit("Opportunity", deal, {"NextStep": "overwritten"})
    answer = api("PATCH", f"{PATH}/{deal}", {"NextStep": "ours"}, {"If-Unmodified-Since": _http(moment)})
    assert answer.status == 204


def test_other_time_zones_and_bad_dates(api: Api, changed: tuple[str, datetime]) -> None:
    deal, _ = changed
    east = {"If-Unmodified-Since": "Fri, 20 Nov 2026 11:00:00 +0100"}
    assert api("PATCH", f"{PATH}/{deal}", {"Name": "x"}, east).status == 204
    assert api("PATCH", f"{PATH}/{deal}", {"Name": "x"}, {"If-Unmodified-Since": "yesterday"}).status == 400


def test_a_read_may_be_spared_or_refused(api: Api, changed: tuple[str, datetime]) -> None:
    deal, moment = changed
    same, before = _http(moment), _http(moment - timedelta(seconds=1))
    assert api("GET", f"{PATH}/{deal}", headers={"If-Modified-Since": same}).status == 304
    assert api("GET", f"{PATH}/{deal}", headers={"If-Modified-Since": before}).status == 200
    assert api("GET", f"{PATH}/{deal}", headers={"If-Unmodified-Since": before}).status == 412


def test_an_upsert_may_be_conditional(api: Api) -> None:
    api.deal(Referral_Identifier__c="R1")
    past = {"If-Unmodified-Since": _http(datetime(2026, 1, 1, tzinfo=UTC))}
    assert api("PATCH", f"{PATH}/Referral_Identifier__c/R1", {"Name": "x"}, past).status == 412


def test_conditions_hold_inside_composite_each_for_its_own_record(api: Api, changed: tuple[str, datetime]) -> None:
    slow, moment = changed
    api.emulator.clock.advance(5)
    fast = api.deal(Name="edited meanwhile")
    subs = [
        {
            "method": "PATCH", "url": f"/services/data/v66.0{PATH}/{deal}", "referenceId": f"r{place}",
            "httpHeaders": {"If-Unmodified-Since": _http(moment)}, "body": {"NextStep": "ours"},
        }
        for place, deal in enumerate([slow, fast])
    ]  # fmt: skip
    retrieve = {"ids": [slow, fast], "fields": ["NextStep"]}
    url = "/services/data/v66.0/composite/sobjects/Opportunity"
    subs.append({"method": "POST", "url": url, "referenceId": "read", "body": retrieve})
    answer = api("POST", "/composite", {"compositeRequest": subs, "collateSubrequests": False})
    results = answer.json()["compositeResponse"]
    assert [(result["httpStatusCode"], result["body"]) for result in results[:2]] == [(204, None), (412, None)]
    assert [row["NextStep"] for row in results[2]["body"]] == ["ours", None]


def test_a_describe_is_spared_while_the_schema_stands(api: Api) -> None:
    now = _http(datetime.now(UTC) + timedelta(days=1))
    assert api("GET", f"{PATH}/describe", headers={"If-Modified-Since": now}).status == 304
    described = api("GET", f"{PATH}/describe").json()
    stages = next(field for field in described["fields"] if field["name"] == "StageName")["picklistValues"]
    assert [stage["value"] for stage in stages][-3:] == ["Closed Won", "Closed Lost", "On Hold"]
    assert {"OpportunityContactRoles"} == {child["relationshipName"] for child in described["childRelationships"]}
