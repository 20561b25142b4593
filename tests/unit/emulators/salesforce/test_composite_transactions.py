"""One Composite with `allOrNone` over conditional writes and sObject Collections.

The contract: docs/reference/salesforce.md#composite-requests. The answers are those of the REST API guide, "allOrNone
Parameters in Composite and Collections Requests".
"""

from typing import Any

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession

ROOT = "/services/data/v66.0"
ROLE, ROW, SOLUTION = "OpportunityContactRole", "Cosell_Deal_Solution__c", "Cosell_Solution__c"
LONG_AGO = {"If-Unmodified-Since": "Fri, 20 Nov 2026 09:00:00 GMT"}


def _send(api: ApiSession, *subrequests: tuple[str, str, object], all_or_none: bool = True) -> list[dict[str, Any]]:
    """The results of subrequests, each a method, a path and a body; the first is conditional."""
    sent: list[dict[str, Any]] = [
        {"method": method, "url": ROOT + path, "referenceId": f"r{place}", **({"body": body} if body else {})}
        for place, (method, path, body) in enumerate(subrequests)
    ]
    body = {"allOrNone": all_or_none, "collateSubrequests": False, "compositeRequest": sent}
    results: list[dict[str, Any]] = api("POST", "/composite", body).json()["compositeResponse"]
    return results


def _codes(result: dict[str, Any]) -> list[str]:
    """The codes of a refused subrequest, or of each record of a collection that was not saved."""
    if result["httpStatusCode"] >= 300:
        return [each["errorCode"] for each in result["body"] or ()]
    return [error["statusCode"] for each in result["body"] for error in each["errors"]]


@pytest.fixture
def deal(api: ApiSession) -> str:
    """A deal with a solution and a role."""
    deal = api.create_deal()
    contact = api.emulator.insert("Contact", {"LastName": "Young"})
    solution = api.emulator.insert(SOLUTION, {"Name": "Ledger", "Solution_Id__c": "SOL-1"})
    api.emulator.insert(ROLE, {"OpportunityId": deal, "ContactId": contact})
    api.emulator.insert(ROW, {"Opportunity__c": deal, "Solution__c": solution})
    return deal


def _role(api: ApiSession, deal: str) -> dict[str, object]:
    contact = api.emulator.records("Contact")[0]["Id"]
    return {"attributes": {"type": ROLE}, "OpportunityId": deal, "ContactId": contact}


def _state(api: ApiSession) -> list[Any]:
    return [api.emulator.records(name) for name in ("Opportunity", ROLE, ROW)]


def test_a_deal_that_changed_meanwhile_undoes_all_later_writes(api: ApiSession, deal: str) -> None:
    before = _state(api)
    solution = api.emulator.records(SOLUTION)[0]["Id"]
    role, row = api.emulator.records(ROLE)[0]["Id"], api.emulator.records(ROW)[0]["Id"]
    steps = [
        ("DELETE", f"/sobjects/{ROW}/{row}", None),
        ("POST", f"/sobjects/{ROW}", {"Opportunity__c": deal, "Solution__c": solution}),
        ("DELETE", f"/composite/sobjects?ids={role}&allOrNone=true", None),
        ("POST", "/composite/sobjects", {"allOrNone": True, "records": [_role(api, deal)]}),
    ]
    conditional: dict[str, object] = {"method": "PATCH", "url": f"{ROOT}/sobjects/Opportunity/{deal}"}
    conditional |= {"referenceId": "deal", "body": {"NextStep": "x"}, "httpHeaders": LONG_AGO}
    sent = [{"method": m, "url": ROOT + p, "referenceId": f"r{n}", "body": b} for n, (m, p, b) in enumerate(steps)]
    for order in ([conditional, *sent], [*sent, conditional]):
        body = {"allOrNone": True, "collateSubrequests": False, "compositeRequest": order}
        results = api("POST", "/composite", body).json()["compositeResponse"]
        by_name = {each["referenceId"]: each for each in results}
        assert (by_name["deal"]["httpStatusCode"], by_name["deal"]["body"]) == (412, None)
        halted = [(each["httpStatusCode"], _codes(each)) for name, each in by_name.items() if name != "deal"]
        assert halted == [(400, ["PROCESSING_HALTED"])] * len(steps)
        assert _state(api) == before


@pytest.mark.parametrize("inner", [True, False])
def test_all_or_none_of_the_composite_holds_for_its_collections(api: ApiSession, deal: str, inner: bool) -> None:
    before = _state(api)
    contact = _role(api, deal)
    wrong = {"attributes": {"type": ROLE}, "OpportunityId": deal}
    first, second = _send(
        api,
        ("POST", "/composite/sobjects", {"allOrNone": inner, "records": [contact, wrong]}),
        ("PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}),
    )
    assert first["httpStatusCode"] == 200
    assert _codes(first) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert (second["httpStatusCode"], _codes(second)) == (400, ["PROCESSING_HALTED"])
    assert _state(api) == before


def test_a_deletion_that_fails_in_a_collection_undoes_the_others(api: ApiSession, deal: str) -> None:
    before = _state(api)
    row = api.emulator.records(ROW)[0]["Id"]
    unknown = row[:14] + "zAAA"
    results = _send(
        api,
        ("PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}),
        ("DELETE", f"/composite/sobjects?ids={row},{unknown}", None),
    )
    assert _codes(results[0]) == ["PROCESSING_HALTED"]
    assert "ALL_OR_NONE_OPERATION_ROLLED_BACK" in _codes(results[1])
    assert _state(api) == before


def test_without_all_or_none_a_collection_decides_for_itself(api: ApiSession, deal: str) -> None:
    contact = _role(api, deal)
    body = {"allOrNone": False, "records": [contact, {"attributes": {"type": ROLE}}]}
    first, second = _send(
        api,
        ("POST", "/composite/sobjects", body),
        ("PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}),
        all_or_none=False,
    )
    assert _codes(first) == ["REQUIRED_FIELD_MISSING"]
    assert second["httpStatusCode"] == 204
    assert len(api.emulator.records(ROLE)) == 2
