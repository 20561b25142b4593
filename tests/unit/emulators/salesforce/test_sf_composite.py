"""Composite and Composite Graph (reference/salesforce.md 2.9)."""

from typing import Any
from urllib.parse import quote

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.emulators.salesforce.rest_bench import Api, code

ROOT = "/services/data/v66.0"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def _sub(name: str, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
    sub: dict[str, Any] = {"method": method, "url": ROOT + path, "referenceId": name}
    return sub | ({"body": body} if body is not None else {}) | ({"httpHeaders": headers} if headers else {})


def _query(soql: str) -> str:
    return f"/query?q={quote(soql)}"


def _composite(api: Api, *subs: dict[str, Any], **options: bool) -> dict[str, dict[str, Any]]:
    answer = api("POST", "/composite", {"compositeRequest": list(subs), **options})
    assert answer.status == 200, answer.body
    results = answer.json()["compositeResponse"]
    assert [result["referenceId"] for result in results] == [sub["referenceId"] for sub in subs]
    return {result["referenceId"]: result for result in results}


def _graph(api: Api, *subs: dict[str, Any]) -> dict[str, Any]:
    answer = api("POST", "/composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": list(subs)}]})
    assert answer.status == 200, answer.body
    (graph,) = answer.json()["graphs"]
    results = graph["graphResponse"]["compositeResponse"]
    return {"done": graph["isSuccessful"], **{result["referenceId"]: result for result in results}}


def _family() -> list[dict[str, Any]]:
    role = {"OpportunityId": "@{deal.id}", "ContactId": "@{person.id}", "IsPrimary": True}
    return [
        _sub("firm", "POST", "/sobjects/Account", {"Name": "Fabrikam"}),
        _sub("person", "POST", "/sobjects/Contact", {"LastName": "Young", "AccountId": "@{firm.id}"}),
        _sub("deal", "PATCH", "/sobjects/Opportunity/Referral_Identifier__c/R1", {**DEAL, "AccountId": "@{firm.id}"}),
        _sub("role", "POST", "/sobjects/OpportunityContactRole", role),
        _sub("read", "GET", "/sobjects/Opportunity/@{deal.id}?fields=Id,AccountId,SystemModstamp"),
    ]


class TestComposite:
    def test_subrequests_answer_each_for_itself_in_one_call(self, api: Api) -> None:
        deal = api.deal()
        results = _composite(
            api,
            _sub("query", "GET", _query("SELECT Name FROM Opportunity")),
            _sub("write", "PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "x"}),
            _sub("wrong", "PATCH", f"/sobjects/Opportunity/{deal}", {"Nope": 1}),
            _sub("nowhere", "GET", "/sobjects/Nonsense/x"),
            _sub("describe", "GET", "/sobjects/Account/describe"),
        )
        assert results["query"]["body"]["totalSize"] == 1
        assert results["write"] == {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "write"}
        assert results["wrong"]["body"][0]["errorCode"] == "INVALID_FIELD"
        assert results["nowhere"]["httpStatusCode"] == 404
        assert results["describe"]["body"]["name"] == "Account"
        assert api.tags()[-1][0] == "composite"
        assert api.emulator.rest.used == 1

    def test_later_subrequests_refer_to_earlier_ones(self, api: Api) -> None:
        found = _query("SELECT Id, Name FROM Account")
        results = _composite(
            api,
            *_family(),
            _sub("all", "GET", found),
            _sub("rename", "PATCH", "/sobjects/Account/@{all.records[0].Id}", {"Name": "Not @{all.records[0].Name}"}),
        )
        assert results["read"]["body"]["AccountId"] == results["firm"]["body"]["id"]
        assert results["deal"]["httpHeaders"]["Location"].endswith(results["read"]["body"]["Id"])
        assert api.emulator.records("Account")[0]["Name"] == "Not Fabrikam"

    def test_a_reference_to_nothing_halts_only_its_subrequest(self, api: Api) -> None:
        results = _composite(
            api,
            _sub("firm", "POST", "/sobjects/Account", {}),
            _sub("person", "POST", "/sobjects/Contact", {"LastName": "Young", "AccountId": "@{firm.id}"}),
            _sub("other", "POST", "/sobjects/Account", {"Name": "Other"}),
        )
        assert results["person"]["body"] == [
            {
                "errorCode": "PROCESSING_HALTED",
                "message": "Invalid reference specified. No value for firm.id found in firm",
            }
        ]
        assert results["other"]["httpStatusCode"] == 201

    @pytest.mark.parametrize("together", [True, False])
    def test_all_or_none_decides_what_stays(self, api: Api, together: bool) -> None:
        results = _composite(
            api,
            _sub("one", "POST", "/sobjects/Opportunity", DEAL),
            _sub("two", "POST", "/sobjects/Opportunity", {}),
            _sub("three", "POST", "/sobjects/Opportunity", DEAL),
            allOrNone=together,
        )
        assert len(api.emulator.records("Opportunity")) == (0 if together else 2)
        assert results["two"]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert [results[name]["httpStatusCode"] for name in ("one", "three")] == (
            [400, 400] if together else [201, 201]
        )
        if together:
            assert results["one"]["body"][0]["errorCode"] == "PROCESSING_HALTED"

    def test_collation_may_write_before_it_reads(self, api: Api) -> None:
        first, second = api.deal(Name="1"), api.deal(Name="2")
        subs = (
            _sub("write1", "PATCH", f"/sobjects/Opportunity/{first}", {"Name": "A"}),
            _sub("read2", "GET", f"/sobjects/Opportunity/{second}?fields=Name"),
            _sub("write2", "PATCH", f"/sobjects/Opportunity/{second}", {"Name": "B"}),
        )
        in_order = _composite(api, *subs, collateSubrequests=False)
        assert in_order["read2"]["body"]["Name"] == "2"
        api.emulator.edit("Opportunity", second, {"Name": "2"})
        assert _composite(api, *subs)["read2"]["body"]["Name"] == "B"

    def test_it_takes_25_subrequests_of_which_five_queries_or_collections(self, api: Api) -> None:
        path = f"/sobjects/Opportunity/{api.deal()}"
        reads = [_sub(f"r{n}", "GET", path) for n in range(26)]
        queries = [_sub(f"q{n}", "GET", _query("SELECT Id FROM Account")) for n in range(5)]
        retrieve = _sub("c", "POST", "/composite/sobjects/Opportunity", {"ids": [], "fields": ["Id"]})
        assert code(api("POST", "/composite", {"compositeRequest": reads}))[0] == 400
        assert code(api("POST", "/composite", {"compositeRequest": [*queries, retrieve]}))[0] == 400
        assert len(_composite(api, *reads[:20], *queries)) == 25

    @pytest.mark.parametrize(
        "body",
        [
            None, [], {}, {"compositeRequest": []}, {"compositeRequest": [{"method": "GET"}]},
            {"compositeRequest": [_sub("a-b", "GET", "/sobjects")]},
            {"compositeRequest": [_sub("a", "GET", "/sobjects"), _sub("a", "GET", "/sobjects")]},
        ],
    )  # fmt: skip
    def test_a_wrong_envelope_is_refused_whole(self, api: Api, body: object) -> None:
        assert api("POST", "/composite", body).status == 400

    def test_subrequests_stay_within_their_version_and_kind(self, api: Api) -> None:
        other = {"method": "GET", "url": "/services/data/v60.0/sobjects", "referenceId": "other"}
        results = _composite(api, other, _sub("limits", "GET", "/limits"), _sub("nested", "POST", "/composite", {}))
        assert [result["httpStatusCode"] for result in results.values()] == [400, 404, 404]


class TestGraph:
    def test_a_family_is_created_in_one_transaction_and_read_back(self, api: Api) -> None:
        graph = _graph(api, *_family())
        assert graph["done"] is True
        assert graph["read"]["body"]["Id"] == graph["deal"]["body"]["id"]
        assert api.emulator.records("OpportunityContactRole")[0]["OpportunityId"] == graph["deal"]["body"]["id"]
        assert api.tags() == [("graph", "create", "create", "upsert", "create", "read")]

    def test_a_failed_node_undoes_the_whole_family(self, api: Api) -> None:
        api.emulator.org.hooks.rules.append(ValidationRule("Opportunity", "Name", "Ask first."))
        graph = _graph(api, *_family())
        assert graph["done"] is False
        assert graph["deal"]["body"][0]["message"] == "Ask first."
        assert graph["firm"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
        names = ("Account", "Contact", "Opportunity", "OpportunityContactRole")
        assert [api.emulator.records(name) for name in names] == [[], [], [], []]

    def test_graphs_stand_alone(self, api: Api) -> None:
        graphs = [
            {"graphId": "bad", "compositeRequest": [_sub("a", "POST", "/sobjects/Account", {})]},
            {"graphId": "good", "compositeRequest": [_sub("a", "POST", "/sobjects/Account", {"Name": "A"})]},
        ]
        answers = api("POST", "/composite/graph", {"graphs": graphs}).json()["graphs"]
        assert [(answer["graphId"], answer["isSuccessful"]) for answer in answers] == [("bad", False), ("good", True)]
        assert [record["Name"] for record in api.emulator.records("Account")] == ["A"]

    def test_a_graph_takes_records_only_and_is_not_too_deep(self, api: Api) -> None:
        query = _sub("q", "GET", _query("SELECT Id FROM Account"))
        chain = [_sub("n0", "POST", "/sobjects/Account", {"Name": "A"})]
        chain += [_sub(f"n{n}", "PATCH", f"/sobjects/Account/@{{n{n - 1}.id}}", {}) for n in range(1, 16)]
        for subs in ([query], chain):
            answer = api("POST", "/composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": subs}]})
            assert answer.status == 400
        assert api("POST", "/composite/graph", {"graphs": "x"}).status == 400
