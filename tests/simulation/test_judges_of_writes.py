"""Each judge of what is written can fail: it is shown a write that breaks its rule, and one that does not."""

import json
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulators.base.server import Request, Response
from tests.simulation.judges.foreign_records import judge_foreign, judge_foreign_write, judge_staging_write
from tests.simulation.judges.mass_changes import MassChanges, changes_for_partner_center, changes_for_salesforce
from tests.simulation.judges.owned import FLAG
from tests.simulation.judges.partner_center_writes import PartnerCenterWrites
from tests.simulation.judges.salesforce_writes import SalesforceWrites
from tests.simulation.judging import Judging
from tests.simulation.people import People
from tests.simulation.sent_writes import FORBIDDEN, RequestHandler, SentWrites
from tests.unit.sync.harness import Harness

ROOT = "/services/data/v66.0"
DEAL, REFERRAL = "006AA000001000OYAQ", "23c6612f-4826-4673-a3a7-711a81332876"
READ_AT, CONDITION = "2026-11-22T10:01:00.000+0000", "Sun, 22 Nov 2026 10:01:00 GMT"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
VERSION: Mapping[str, Any] = {
    "status": "Active",
    "details": {
        "dealValue": 5000,
        "notes": "Hello.\r\n",
        "requirements": {"solutions": [{"id": "SOL-1", "name": None}]},
    },
    "team": [],
}


def kinds(findings: Iterable[str]) -> list[str]:
    return [finding.partition(":")[0] for finding in findings]


# --- Partner Center


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/details/dealValue", 7000, []),
        ("/details/dealValue", 5000.0, ["unchanged"]),
        ("/details/notes", "Hello.", ["unchanged"]),
        ("/details/requirements/solutions", [{"id": "SOL-2"}], []),
        ("/details/requirements/solutions", [{"id": "SOL-1"}], ["unchanged"]),
        ("/details/requirements/solutions/-", {"id": "SOL-2"}, []),
        ("/details/requirements/solutions/-", {"id": "sol-1"}, ["unchanged"]),
        ("/favorite", True, ["unowned"]),
        ("/details", {"dealValue": 7000}, ["unowned"]),
    ],
)
def test_a_patch_carries_only_paths_of_ours_and_only_other_values(
    path: str, value: object, expected: list[str]
) -> None:
    body = json.dumps([{"op": "add" if path.endswith("-") else "replace", "path": path, "value": value}]).encode()
    assert kinds(PartnerCenterWrites().judge("PATCH", REFERRAL, VERSION, body)) == expected


def test_a_patch_that_names_no_known_version_is_found() -> None:
    assert kinds(PartnerCenterWrites().judge("PATCH", REFERRAL, None, b"[]")) == ["unversioned"]


def test_a_value_that_is_there_already_may_be_sent_once_its_path_was_refused() -> None:
    judge, body = PartnerCenterWrites(), b'[{"op": "replace", "path": "/details/dealValue", "value": 5000}]'
    judge.keep(body, 400)
    assert kinds(judge.judge("PATCH", REFERRAL, VERSION, body)) == []


def test_a_new_referral_carries_nothing_else() -> None:
    assert kinds(PartnerCenterWrites().judge("POST", "", None, b'{"name": "A", "tags": []}')) == ["unowned"]


# --- Salesforce


def composite(*parts: Mapping[str, Any]) -> bytes:
    return json.dumps({"compositeRequest": parts}).encode()


def patch(values: Mapping[str, Any], *, is_conditional: bool = True) -> bytes:
    headers = {"httpHeaders": {"If-Unmodified-Since": CONDITION}} if is_conditional else {}
    return composite(
        {
            "method": "PATCH",
            "url": f"{ROOT}/sobjects/Opportunity/{DEAL}",
            "referenceId": "w0",
            "body": values,
            **headers,
        }
    )


def judge_of_salesforce() -> SalesforceWrites:
    """One that knows what was read of the deal."""
    judge = SalesforceWrites()
    read = {"Id": DEAL, "LastModifiedDate": READ_AT, "Amount": 5000.0, "CurrencyIsoCode": "USD", "Name": "A"}
    judge.keep(json.dumps({"records": [{"attributes": {"type": "Opportunity"}, **read}]}).encode())
    return judge


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Amount": 7000, "CurrencyIsoCode": "USD", "Audit__c": "Told."}, []),
        ({"Amount": 5000, "CurrencyIsoCode": "USD"}, ["unchanged"]),
        ({"Sync_Status__c": "Synced"}, []),
        ({"Probability": 70}, ["unowned"]),
        ({"Sync_with_Partner_Center__c": True}, ["unowned"]),
    ],
)
def test_a_write_carries_only_columns_of_ours_and_of_people_only_other_values(
    values: Mapping[str, object], expected: list[str]
) -> None:
    assert kinds(judge_of_salesforce().judge("POST", f"{ROOT}/composite", patch(values))) == expected


def test_values_of_people_are_never_written_without_a_version_that_was_read() -> None:
    whole = patch({"Name": "B"}, is_conditional=False)
    assert kinds(judge_of_salesforce().judge("POST", f"{ROOT}/composite", whole)) == ["unconditional"]
    records = [{"attributes": {"type": "Opportunity"}, "id": DEAL, "Name": "B"}]
    several = composite({"method": "PATCH", "url": f"{ROOT}/composite/sobjects", "body": {"records": records}})
    assert kinds(judge_of_salesforce().judge("POST", f"{ROOT}/composite", several)) == ["unconditional"]
    assert kinds(SalesforceWrites().judge("POST", f"{ROOT}/composite", patch({"Name": "B"}))) == ["unread"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("DELETE", f"sobjects/Opportunity/{DEAL}", ["unowned"]),
        ("DELETE", "sobjects/OpportunityContactRole/00K", []),
        ("PATCH", "sobjects/Account/001", ["unowned"]),
        ("POST", "sobjects/Case", ["unowned"]),
        ("POST", "sobjects/Account", []),
        ("PATCH", "sobjects/Cosell_Inbox__c/Key__c/4711", []),
    ],
)
def test_only_records_of_some_objects_are_made_and_deleted(method: str, path: str, expected: list[str]) -> None:
    body = composite({"method": method, "url": f"{ROOT}/{path}", "body": {"Name": "A"}})
    assert kinds(SalesforceWrites().judge("POST", f"{ROOT}/composite", body)) == expected


@pytest.mark.parametrize(("column", "expected"), [("Solution_Type__c", []), ("Active__c", ["unowned"])])
def test_a_new_record_of_the_catalogue_says_what_the_solution_is(column: str, expected: list[str]) -> None:
    values = {"Name": "A", "Solution_Id__c": "SOL-1", "Publisher__c": "Contoso", "Co_sell_Ready__c": True, column: "3P"}
    body = composite({"method": "POST", "url": f"{ROOT}/sobjects/Cosell_Solution__c", "body": values})
    assert kinds(SalesforceWrites().judge("POST", f"{ROOT}/composite", body)) == expected


# --- a mass mistake


def test_a_change_beyond_the_limit_of_a_day_needs_an_approval() -> None:
    judge = MassChanges(2)
    creations = [("creation|partner_center", f"006{number}") for number in range(5)]
    assert kinds(judge.judge(NOON, iter(creations[:2]))) == []
    assert kinds(judge.judge(NOON, iter(creations[:2]))) == [], "a repeated change counts once"
    assert kinds(judge.judge(NOON, iter(creations[2:3]))) == ["beyond"]
    judge.approve(NOON, "creation|partner_center", 2)
    assert kinds(judge.judge(NOON, iter(creations[3:4]))) == []
    assert kinds(judge.judge(NOON, iter([("closure|partner_center", "1")]))) == []
    assert kinds(judge.judge(NOON, iter(creations[4:]))) == ["beyond"]
    assert kinds(judge.judge(NOON + timedelta(days=1), iter([("creation|partner_center", "6")]))) == []


def test_the_counted_changes_of_a_request_are_known() -> None:
    close = b'[{"op": "replace", "path": "/status", "value": "Closed"}, {"op": "replace", "path": "/a", "value": null}]'
    assert [kind for kind, _ in changes_for_partner_center("PATCH", REFERRAL, close, {})] == [
        "closure|partner_center",
        "emptied|partner_center",
    ]
    own, help_asked = b'{"externalReferenceId": "006"}', b'{"engagementId": "e-1"}'
    creations = [list(changes_for_partner_center("POST", "", body, {"e-1": "006"})) for body in (own, help_asked)]
    assert creations == [[("creation|partner_center", "006")]] * 2
    won = patch({"StageName": "Closed Won", "Visible_to_Microsoft__c": True, "Description": None})
    assert [kind for kind, _ in changes_for_salesforce("POST", f"{ROOT}/composite", won)] == [
        "closure|salesforce",
        "visibility|salesforce",
        "emptied|salesforce",
    ]


# --- records of others


def test_a_write_to_a_record_of_others_is_found_and_so_is_what_was_taken_from_it() -> None:
    assert kinds(judge_foreign_write(REFERRAL.upper(), [REFERRAL])) == ["touched"]
    assert kinds(judge_foreign_write(DEAL, [REFERRAL])) == []
    theirs = {"id": REFERRAL, "name": "Of staging"}
    deal = {"Id": DEAL, "Referral_Identifier__c": None, "Name": "Ours", "Audit__c": None}
    assert kinds(judge_foreign([theirs], [theirs], [deal])) == []
    assert kinds(judge_foreign([theirs], [{**theirs, "name": "Changed"}], [deal])) == ["touched"]
    for values in ({"Referral_Identifier__c": REFERRAL}, {"Name": "Of staging"}, {"Audit__c": "From Of staging."}):
        assert kinds(judge_foreign([theirs], [theirs], [{**deal, **values}])) == ["taken in"]


@pytest.mark.parametrize(
    ("method", "sent", "expected"),
    [
        ("PATCH", [{"path": "/details/notes", "value": "x"}], []),
        ("PATCH", [{"path": "/consent/consentToShareReferralWithMicrosoftSellers", "value": True}], ["touched"]),
        ("POST", {"externalReferenceId": "SANDBOX:1"}, []),
        ("POST", {"externalReferenceId": "1"}, ["touched"]),
        ("POST", {"externalReferenceId": "SANDBOX:1", "target": [{"id": "msft"}]}, ["touched"]),
    ],
)
def test_a_staging_app_writes_only_what_has_its_tag_and_shows_nothing_to_microsoft(
    method: str, sent: object, expected: list[str]
) -> None:
    assert kinds(judge_staging_write(method, REFERRAL, sent, {REFERRAL: "SANDBOX:1"}, "SANDBOX")) == expected


def test_a_staging_app_leaves_the_referrals_of_production_alone() -> None:
    assert kinds(judge_staging_write("PATCH", REFERRAL, [], {REFERRAL: DEAL}, "SANDBOX")) == ["touched"]


def answering(body: object) -> RequestHandler:
    """A service that answers each request with one subrequest's body."""
    answer = json.dumps({"compositeResponse": [{"body": body}]}).encode()
    return lambda _: Response(200, answer)


def test_a_mark_in_a_name_may_be_missing_only_while_its_last_write_was_forbidden() -> None:
    part = {"method": "PATCH", "url": f"{ROOT}/sobjects/Opportunity/{DEAL}", "body": {"Name": "✔ ERP"}}
    body = json.dumps({"compositeRequest": [part]}).encode()
    sent, request = SentWrites([]), Request("POST", f"{ROOT}/composite", body=body)
    for error, unmarked in (([{"errorCode": FORBIDDEN}], {DEAL}), ([{"errorCode": "OTHER"}], set()), (None, set())):
        sent.unmarked = set() if unmarked else {DEAL}
        sent.of_salesforce(answering(error))(request)
        assert sent.unmarked == unmarked


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_deal_may_be_written_to_if_a_read_has_shown_it_as_ticked(*, is_seen: bool) -> None:
    with Harness() as harness:
        chance = random.Random(1)  # noqa: S311 - the same run each time
        people = People(harness, chance, most_deals=1, late_saves=0.0, also=())
        judging = Judging(people, {})
        handle = judging.of_salesforce(lambda _: Response.of({}))
        deal = harness.seller_creates()
        harness.salesforce.lag = timedelta(hours=1 if is_seen else 0)
        harness.seller_edits(deal, **{FLAG: False})
        harness.salesforce.lag = timedelta()
        handle(Request.of("GET", f"{ROOT}/limits", {}))
        handle(Request.of("PATCH", f"{ROOT}/sobjects/Opportunity/{deal}", {}, b'{"Sync_Status__c": "Failed"}'))
    assert (f"touched: nobody has ticked {deal}" in judging.findings) is not is_seen
