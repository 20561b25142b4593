"""One subrequest of a Composite or a graph fails, while the others are answered."""

from typing import Any

import pytest

from emulators.salesforce.data.subrequest_faults import SubrequestFault
from tests.unit.emulators.salesforce.api_session import ApiSession

ROOT = "/services/data/v66.0"


def _rename(name: str, deal: str) -> dict[str, Any]:
    address = f"{ROOT}/sobjects/Opportunity/{deal}"
    return {"method": "PATCH", "url": address, "referenceId": name, "body": {"Name": name}}


def _fault(api: ApiSession, **values: Any) -> None:  # noqa: ANN401 - as the fault has them
    api.emulator.org.hooks.subrequests.append(SubrequestFault(**values))


def test_one_subrequest_fails_and_the_others_are_answered(api: ApiSession) -> None:
    deals = [api.create_deal(), api.create_deal()]
    _fault(api, code="UNKNOWN_EXCEPTION", method="PATCH", path=deals[0])
    answer = api("POST", "/composite", {"compositeRequest": [_rename("first", deals[0]), _rename("second", deals[1])]})
    first, second = answer.json()["compositeResponse"]
    assert (first["httpStatusCode"], first["body"][0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert second["httpStatusCode"] == 204
    assert [api.emulator.record("Opportunity", deal)["Name"] == "first" for deal in deals] == [False, False]


def test_a_graph_with_a_failed_node_is_undone(api: ApiSession) -> None:
    deals = [api.create_deal(), api.create_deal()]
    _fault(api, code="UNABLE_TO_LOCK_ROW", skip=1)
    nodes = [_rename("first", deals[0]), _rename("second", deals[1])]
    graph = api("POST", "/composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": nodes}]}).json()["graphs"]
    assert not graph[0]["isSuccessful"]
    assert api.emulator.record("Opportunity", deals[0])["Name"] != "first"


def test_a_fault_ends_after_its_times(api: ApiSession) -> None:
    deal = api.create_deal()
    _fault(api, code="SERVER_UNAVAILABLE", times=1)
    for status in (503, 204):
        answer = api("POST", "/composite", {"compositeRequest": [_rename("first", deal)]})
        assert answer.json()["compositeResponse"][0]["httpStatusCode"] == status


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="code must be one of"):
        SubrequestFault("TIRED")
