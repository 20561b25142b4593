from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.soql_literals import full_id
from shared.foundation.errors import Ambiguous, Cause, Locked
from shared.sync.ports import Write, Written
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

READ_AT = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 10, 0, 10, tzinfo=UTC)
Parts = list[dict[str, Any]]


def record_id(number: int) -> str:
    return full_id(f"006{number:012d}")


def write_of(number: int, since: datetime | None = None, **values: object) -> Write:
    return Write(record_id(number), values or {"NextStep": "call"}, since)


def error_body(code: str, message: str = "m", key: str = "errorCode") -> list[dict[str, object]]:
    return [{key: code, "message": message, "fields": ["Name"]}]


def subrequest_answer(reference: str, status: int, body: object) -> dict[str, object]:
    return {"referenceId": reference, "httpStatusCode": status, "httpHeaders": {}, "body": body}


def answer_each_write(each: Callable[[dict[str, Any]], tuple[int, object]]) -> Callable[[Request], Response]:
    """Answer each write of a Composite with `each`; the retrieve at its end finds every record except number 99."""

    def respond(request: Request) -> Response:
        *writes, last = request.json()["compositeRequest"]
        records = [None if one == record_id(99) else {"Id": one, "Name": "N"} for one in last["body"]["ids"]]
        answers = [subrequest_answer(w["referenceId"], *each(w)) for w in writes]
        return Response.of({"compositeResponse": [*answers, subrequest_answer(last["referenceId"], 200, records)]})

    return respond


def sent_subrequests(fake: FakeSalesforce, call: int = 0) -> Parts:
    body = fake.data_requests[call].json()
    assert (body["allOrNone"], body["collateSubrequests"]) == (False, False)
    return list(body["compositeRequest"])


# --- conditional


def test_twenty_four_conditional_updates_and_their_read_back_are_one_call(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_write(lambda _: (204, None))
    outcome = salesforce.update_unmodified([write_of(n, READ_AT, Amount=Decimal("1.10")) for n in range(25)], ["Id"])
    assert [written.id for written in outcome] == [record_id(n) for n in range(25)]
    assert all(written == Written(written.id, {"Id": written.id, "Name": "N"}, NOW) for written in outcome)
    assert [len(sent_subrequests(fake, call)) for call in (0, 1)] == [25, 2]
    assert sent_subrequests(fake)[0] == {
        "method": "PATCH",
        "url": f"/services/data/v66.0/sobjects/Opportunity/{record_id(0)}",
        "referenceId": "w0",
        "body": {"Amount": 1.1},
        "httpHeaders": {"If-Unmodified-Since": "Fri, 20 Nov 2026 10:00:00 GMT"},
    }
    assert b'"Amount":1.10' in fake.data_requests[0].body


def test_the_read_back_requests_only_the_fields_of_the_record_itself(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_write(lambda _: (204, None))
    salesforce.update_unmodified([write_of(1)], ["Name", "Owner.Email", "(SELECT Id FROM Roles)", "Name", "Mark__c"])
    last = sent_subrequests(fake)[-1]
    assert (last["method"], last["url"]) == ("POST", "/services/data/v66.0/composite/sobjects/Opportunity")
    assert last["body"] == {"ids": [record_id(1)], "fields": ["Id", "Name", "Mark__c"]}


def test_a_write_without_a_version_carries_no_condition(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_write(lambda _: (204, None))
    salesforce.update_unmodified([write_of(1)], ["Id"])
    assert "httpHeaders" not in sent_subrequests(fake)[0]


@pytest.mark.parametrize("body", [None, [], [{"errorCode": "PRECONDITION_FAILED", "message": "m"}]])
def test_a_412_means_that_the_record_changed_whatever_its_body(
    salesforce: SalesforceClient, fake: FakeSalesforce, body: object
) -> None:
    fake.respond = answer_each_write(lambda w: (412, body) if w["referenceId"] == "w1" else (204, None))
    first, second = salesforce.update_unmodified([write_of(1, READ_AT), write_of(2, READ_AT)], ["Id"])
    assert (first.changed, second.changed) == (False, True)
    assert second.record == {"Id": record_id(2), "Name": "N"}


@pytest.mark.parametrize(
    ("status", "code"), [(400, "UNABLE_TO_LOCK_ROW"), (500, "UNABLE_TO_LOCK_ROW"), (400, "ENTITY_IS_LOCKED")]
)
def test_a_lock_is_recognised_by_its_code(
    salesforce: SalesforceClient, fake: FakeSalesforce, status: int, code: str
) -> None:
    fake.respond = answer_each_write(lambda _: (status, error_body(code)))
    [outcome] = salesforce.update_unmodified([write_of(1, READ_AT)], ["Id"])
    assert (outcome.locked, outcome.changed, outcome.refused) == (True, False, None)


def test_a_refusal_carries_code_field_reason_and_remedy(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_write(lambda _: (400, error_body("STRING_TOO_LONG", "Name: data value too large")))
    [outcome] = salesforce.update_unmodified([write_of(1, READ_AT)], ["Id"])
    assert outcome.refused == Cause(
        "STRING_TOO_LONG", "Name", "Name: data value too large", "Shorten the value of Name."
    )


@pytest.mark.parametrize("body", [error_body("ENTITY_IS_DELETED"), error_body("NOT_FOUND"), None])
def test_a_write_to_a_missing_record_is_refused_and_reads_nothing_back(
    salesforce: SalesforceClient, fake: FakeSalesforce, body: object
) -> None:
    fake.respond = answer_each_write(lambda _: (404, body))
    [outcome] = salesforce.update_unmodified([write_of(99, READ_AT)], ["Id"])
    assert outcome.record is None
    assert outcome.refused is not None
    assert outcome.refused.code in {"ENTITY_IS_DELETED", "NOT_FOUND"}


def test_a_temporary_error_counts_as_a_lock_if_the_record_was_read_back(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_write(lambda _: (500, error_body("UNKNOWN_EXCEPTION")))
    [outcome] = salesforce.update_unmodified([write_of(1, READ_AT)], ["Id"])
    assert outcome.locked
    assert outcome.record is not None
    with pytest.raises(Ambiguous):
        salesforce.update_unmodified([write_of(99, READ_AT)], ["Id"])


def test_a_write_whose_read_back_failed_still_has_its_outcome(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = lambda _: Response.of(
        {
            "compositeResponse": [
                subrequest_answer("w0", 204, None),
                subrequest_answer("read_back", 400, error_body("INVALID_FIELD")),
            ]
        }
    )
    assert list(salesforce.update_unmodified([write_of(1)], ["Id"])) == [Written(record_id(1), None, NOW)]


# --- collections


def test_two_hundred_updates_and_their_read_back_are_one_call(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_write(
        lambda w: (200, [{"id": r["id"], "success": True, "errors": []} for r in w["body"]["records"]])
    )
    outcome = salesforce.update([write_of(n) for n in range(201)], ["Id", "Name"])
    assert [written.id for written in outcome] == [record_id(n) for n in range(201)]
    assert len(fake.data_requests) == 2
    update, last = sent_subrequests(fake)
    assert (update["method"], update["url"]) == ("PATCH", "/services/data/v66.0/composite/sobjects")
    assert update["body"]["allOrNone"] is False
    assert update["body"]["records"][0] == {
        "attributes": {"type": "Opportunity"},
        "id": record_id(0),
        "NextStep": "call",
    }
    assert last["body"]["ids"] == [record_id(n) for n in range(200)]


def test_each_record_of_a_collection_has_its_own_outcome(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    results = [
        {"id": record_id(1), "success": True, "errors": []},
        {"success": False, "errors": error_body("UNABLE_TO_LOCK_ROW", key="statusCode")},
        {
            "success": False,
            "errors": error_body("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Pick a partner", key="statusCode"),
        },
        {"success": False, "errors": []},
    ]
    fake.respond = answer_each_write(lambda _: (200, results))
    fine, locked, refused, without_error = salesforce.update([write_of(n) for n in (1, 2, 3, 4)], ["Id"])
    assert fine == Written(record_id(1), {"Id": record_id(1), "Name": "N"}, NOW)
    assert locked.locked
    assert refused.refused is not None
    assert (refused.refused.code, refused.refused.reason) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Pick a partner")
    assert without_error.refused is not None


def test_a_collection_with_too_few_results_is_ambiguous(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_write(lambda _: (200, [{"success": True}]))
    with pytest.raises(Ambiguous):
        salesforce.update([write_of(1), write_of(2)], ["Id"])


def test_a_collection_that_is_refused_as_a_whole_raises_its_error(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_write(lambda _: (400, error_body("UNABLE_TO_LOCK_ROW")))
    with pytest.raises(Locked):
        salesforce.update([write_of(1)], ["Id"])


# --- before sending


def test_one_record_twice_in_a_call_is_refused_before_sending(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    twice = [write_of(1), Write(record_id(1)[:15], {"Name": "B"})]
    for call in (salesforce.update, salesforce.update_unmodified):
        with pytest.raises(ValueError, match="once"):
            call(twice, ["Id"])
    assert fake.data_requests == []


def test_only_record_ids_are_written_into_an_address(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    with pytest.raises(ValueError, match="15 or 18"):
        salesforce.update_unmodified([Write("../Account/001000000000001", {})], ["Id"])
    assert fake.data_requests == []


def test_a_condition_is_never_dropped_silently(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    with pytest.raises(ValueError, match="update_unmodified"):
        salesforce.update([write_of(1, READ_AT)], ["Id"])
    with pytest.raises(ValueError, match="time zone"):
        salesforce.update_unmodified([write_of(1, datetime(2026, 11, 20))], ["Id"])  # noqa: DTZ001 - the point of the test
    assert fake.data_requests == []


def test_no_writes_make_no_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.update([], ["Id"]) == []
    assert salesforce.update_unmodified([], ["Id"]) == []
    assert fake.data_requests == []
