"""Composite and Composite Graph.

The contract: docs/reference/salesforce.md#composite-requests and docs/reference/salesforce.md#composite-graph.
"""

from typing import Any
from urllib.parse import quote

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code

ROOT = "/services/data/v66.0"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def _subrequest(name: str, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
    subrequest: dict[str, Any] = {"method": method, "url": ROOT + path, "referenceId": name}
    return subrequest | ({"body": body} if body is not None else {}) | ({"httpHeaders": headers} if headers else {})


def _query_path(soql: str) -> str:
    return f"/query?q={quote(soql)}"


def _send_composite(api: ApiSession, *subrequests: dict[str, Any], **options: bool) -> dict[str, dict[str, Any]]:
    answer = api("POST", "/composite", {"compositeRequest": list(subrequests), **options})
    assert answer.status == 200, answer.body
    results = answer.json()["compositeResponse"]
    assert [result["referenceId"] for result in results] == [each["referenceId"] for each in subrequests]
    return {result["referenceId"]: result for result in results}


def _send_graph(api: ApiSession, *subrequests: dict[str, Any]) -> dict[str, Any]:
    answer = api("POST", "/composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": list(subrequests)}]})
    assert answer.status == 200, answer.body
    (graph,) = answer.json()["graphs"]
    results = graph["graphResponse"]["compositeResponse"]
    return {"done": graph["isSuccessful"], **{result["referenceId"]: result for result in results}}


def _related_creates() -> list[dict[str, Any]]:
    role = {"OpportunityId": "@{deal.id}", "ContactId": "@{person.id}", "IsPrimary": True}
    return [
        _subrequest("firm", "POST", "/sobjects/Account", {"Name": "Fabrikam"}),
        _subrequest("person", "POST", "/sobjects/Contact", {"LastName": "Young", "AccountId": "@{firm.id}"}),
        _subrequest(
            "deal", "PATCH", "/sobjects/Opportunity/Referral_Identifier__c/R1", {**DEAL, "AccountId": "@{firm.id}"}
        ),
        _subrequest("role", "POST", "/sobjects/OpportunityContactRole", role),
        _subrequest("read", "GET", "/sobjects/Opportunity/@{deal.id}?fields=Id,AccountId,SystemModstamp"),
    ]


class TestComposite:
    def test_each_subrequest_has_its_own_answer_in_one_call(self, api: ApiSession) -> None:
        deal = api.create_deal()
        results = _send_composite(
            api,
            _subrequest("query", "GET", _query_path("SELECT Name FROM Opportunity")),
            _subrequest("write", "PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}),
            _subrequest("wrong", "PATCH", f"/sobjects/Opportunity/{deal}", {"Nope": 1}),
            _subrequest("nowhere", "GET", "/sobjects/Nonsense/x"),
            _subrequest("describe", "GET", "/sobjects/Account/describe"),
        )
        assert results["query"]["body"]["totalSize"] == 1
        assert results["write"] == {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "write"}
        assert results["wrong"]["body"][0]["errorCode"] == "INVALID_FIELD"
        assert results["nowhere"]["httpStatusCode"] == 404
        assert results["describe"]["body"]["name"] == "Account"
        assert api.journal_tags()[-1][0] == "composite"
        assert api.emulator.rest.used == 1

    def test_later_subrequests_refer_to_earlier_ones(self, api: ApiSession) -> None:
        accounts = _query_path("SELECT Id, Name FROM Account")
        results = _send_composite(
            api,
            *_related_creates(),
            _subrequest("all", "GET", accounts),
            _subrequest(
                "rename", "PATCH", "/sobjects/Account/@{all.records[0].Id}", {"Name": "Not @{all.records[0].Name}"}
            ),
        )
        assert results["read"]["body"]["AccountId"] == results["firm"]["body"]["id"]
        assert results["deal"]["httpHeaders"]["Location"].endswith(results["read"]["body"]["Id"])
        assert api.emulator.records("Account")[0]["Name"] == "Not Fabrikam"

    def test_a_reference_without_a_value_fails_only_its_own_subrequest(self, api: ApiSession) -> None:
        results = _send_composite(
            api,
            _subrequest("firm", "POST", "/sobjects/Account", {}),
            _subrequest("person", "POST", "/sobjects/Contact", {"LastName": "Young", "AccountId": "@{firm.id}"}),
            _subrequest("other", "POST", "/sobjects/Account", {"Name": "Other"}),
        )
        assert results["person"]["body"] == [
            {
                "errorCode": "PROCESSING_HALTED",
                "message": "Invalid reference specified. No value for firm.id found in firm",
            }
        ]
        assert results["other"]["httpStatusCode"] == 201

    @pytest.mark.parametrize("all_or_none", [True, False])
    def test_all_or_none_decides_whether_the_other_writes_stay(self, api: ApiSession, all_or_none: bool) -> None:
        results = _send_composite(
            api,
            _subrequest("one", "POST", "/sobjects/Opportunity", DEAL),
            _subrequest("two", "POST", "/sobjects/Opportunity", {}),
            _subrequest("three", "POST", "/sobjects/Opportunity", DEAL),
            allOrNone=all_or_none,
        )
        assert len(api.emulator.records("Opportunity")) == (0 if all_or_none else 2)
        assert results["two"]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert [results[name]["httpStatusCode"] for name in ("one", "three")] == (
            [400, 400] if all_or_none else [201, 201]
        )
        if all_or_none:
            assert results["one"]["body"][0]["errorCode"] == "PROCESSING_HALTED"

    def test_with_collation_a_later_write_may_run_before_a_read(self, api: ApiSession) -> None:
        first, second = api.create_deal(Name="1"), api.create_deal(Name="2")
        subrequests = (
            _subrequest("write1", "PATCH", f"/sobjects/Opportunity/{first}", {"Name": "A"}),
            _subrequest("read2", "GET", f"/sobjects/Opportunity/{second}?fields=Name"),
            _subrequest("write2", "PATCH", f"/sobjects/Opportunity/{second}", {"Name": "B"}),
        )
        in_order = _send_composite(api, *subrequests, collateSubrequests=False)
        assert in_order["read2"]["body"]["Name"] == "2"
        api.emulator.edit("Opportunity", second, {"Name": "2"})
        assert _send_composite(api, *subrequests)["read2"]["body"]["Name"] == "B"

    def test_it_accepts_25_subrequests_and_five_of_them_may_be_queries_or_collections(self, api: ApiSession) -> None:
        path = f"/sobjects/Opportunity/{api.create_deal()}"
        reads = [_subrequest(f"r{n}", "GET", path) for n in range(26)]
        queries = [_subrequest(f"q{n}", "GET", _query_path("SELECT Id FROM Account")) for n in range(5)]
        retrieve = _subrequest("c", "POST", "/composite/sobjects/Opportunity", {"ids": [], "fields": ["Id"]})
        assert status_and_code(api("POST", "/composite", {"compositeRequest": reads}))[0] == 400
        assert status_and_code(api("POST", "/composite", {"compositeRequest": [*queries, retrieve]}))[0] == 400
        assert len(_send_composite(api, *reads[:20], *queries)) == 25

    @pytest.mark.parametrize(
        "body",
        [
            None, [], {}, {"compositeRequest": []}, {"compositeRequest": [{"method": "GET"}]},
            {"compositeRequest": [_subrequest("a-b", "GET", "/sobjects")]},
            {"compositeRequest": [_subrequest("a", "GET", "/sobjects"), _subrequest("a", "GET", "/sobjects")]},
        ],
    )  # fmt: skip
    def test_a_wrong_envelope_is_refused_as_a_whole(self, api: ApiSession, body: object) -> None:
        assert api("POST", "/composite", body).status == 400

    def test_a_subrequest_of_another_version_or_resource_is_refused(self, api: ApiSession) -> None:
        other = {"method": "GET", "url": "/services/data/v60.0/sobjects", "referenceId": "other"}
        results = _send_composite(
            api, other, _subrequest("limits", "GET", "/limits"), _subrequest("nested", "POST", "/composite", {})
        )
        assert [result["httpStatusCode"] for result in results.values()] == [400, 404, 404]


class TestGraph:
    def test_related_records_are_created_in_one_transaction_and_read_back(self, api: ApiSession) -> None:
        graph = _send_graph(api, *_related_creates())
        assert graph["done"] is True
        assert graph["read"]["body"]["Id"] == graph["deal"]["body"]["id"]
        assert api.emulator.records("OpportunityContactRole")[0]["OpportunityId"] == graph["deal"]["body"]["id"]
        assert api.journal_tags() == [("graph", "create", "create", "upsert", "create", "read")]

    def test_a_failed_node_undoes_the_whole_graph(self, api: ApiSession) -> None:
        api.emulator.org.hooks.rules.append(ValidationRule("Opportunity", "Name", "Ask first."))
        graph = _send_graph(api, *_related_creates())
        assert graph["done"] is False
        assert graph["deal"]["body"][0]["message"] == "Ask first."
        assert graph["firm"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
        names = ("Account", "Contact", "Opportunity", "OpportunityContactRole")
        assert [api.emulator.records(name) for name in names] == [[], [], [], []]

    def test_a_failed_graph_does_not_affect_another_graph(self, api: ApiSession) -> None:
        graphs = [
            {"graphId": "bad", "compositeRequest": [_subrequest("a", "POST", "/sobjects/Account", {})]},
            {"graphId": "good", "compositeRequest": [_subrequest("a", "POST", "/sobjects/Account", {"Name": "A"})]},
        ]
        answers = api("POST", "/composite/graph", {"graphs": graphs}).json()["graphs"]
        assert [(answer["graphId"], answer["isSuccessful"]) for answer in answers] == [("bad", False), ("good", True)]
        assert [record["Name"] for record in api.emulator.records("Account")] == ["A"]

    def test_a_graph_refuses_queries_and_too_much_depth(self, api: ApiSession) -> None:
        query = _subrequest("q", "GET", _query_path("SELECT Id FROM Account"))
        chain = [_subrequest("n0", "POST", "/sobjects/Account", {"Name": "A"})]
        chain += [_subrequest(f"n{n}", "PATCH", f"/sobjects/Account/@{{n{n - 1}.id}}", {}) for n in range(1, 16)]
        for subrequests in ([query], chain):
            answer = api("POST", "/composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": subrequests}]})
            assert answer.status == 400
        assert api("POST", "/composite/graph", {"graphs": "x"}).status == 400
