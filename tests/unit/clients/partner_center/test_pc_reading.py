"""Reading referrals: shapes, lists, and unusual next links."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.clients.partner_center.referrals import Referrals
from shared.foundation.errors import NotFound, Rejected, Unavailable
from shared.sync.ports import PartnerCenter
from tests.unit.clients.partner_center.scripted_service import Answer, ScriptedService

ID = "0a5f0000-1111-2222-3333-444455556666"
SINCE = datetime(2026, 1, 31, 8, 0, 0, 999999, tzinfo=UTC)


def query_of(request: httpx.Request) -> dict[str, str]:
    return dict(request.url.params)


def stamp_of(number: int, moment: str = "2026-02-01T00:00:00.1234567Z") -> dict[str, Any]:
    return {"id": f"r{number}", "eTag": f'"{number}"', "updatedDateTime": moment, "createdDateTime": moment}


def test_the_client_implements_the_port(referrals: Referrals) -> None:
    port: PartnerCenter = referrals

    assert port is referrals


def test_names_are_read_in_any_case_at_any_depth(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"Id": ID, "ETag": '"1"', "CustomerProfile": {"Team": [{"FirstName": "A"}]}}))

    assert referrals.get(ID) == {"id": ID, "eTag": '"1"', "customerProfile": {"team": [{"firstName": "A"}]}}


def test_a_name_in_camel_case_wins_over_the_same_in_pascal_case(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"id": ID, "name": "right", "Name": "wrong"}))

    assert referrals.get(ID)["name"] == "right"


def test_unknown_values_are_passed_on_unchanged(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    referral = {
        "id": ID,
        "eTag": '"8400-0"',
        "status": "Hibernating",
        "target": None,
        "updatedDateTime": "2026-02-28T17:27:47.8754901Z",
        "@odata.context": "x",
        "newThing": {"of": [1, None, True]},
    }
    service.set_script(answer(json=referral))

    assert referrals.get(ID) == referral


def test_money_is_never_a_float(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(text=json.dumps({"id": ID, "details": {"dealValue": 0}}).replace("0}", "1234567.10}")))

    value = referrals.get(ID)["details"]["dealValue"]

    assert (type(value), str(value)) == (Decimal, "1234567.10")


def test_the_version_is_read_from_the_header_if_the_body_has_none(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"id": ID, "eTag": None}, ETag='"9"'))

    assert referrals.get(ID)["eTag"] == '"9"'


def test_a_read_sends_the_documented_headers(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(json={"id": ID}))

    referrals.get(ID)
    referrals.get(ID)

    first, second = service.requests
    assert str(first.url) == f"https://partner.example/v1.0/engagements/referrals/{ID}"
    assert first.headers["Authorization"] == "Bearer token-1"
    assert first.headers["Accept"] == "application/json"
    assert first.headers["MS-CorrelationId"] == first.headers["client-request-id"] == "call-1"
    assert second.headers["MS-CorrelationId"] == "call-2"


@pytest.mark.parametrize("referral_id", ["", "../../v1.0/me", "a/b", "a?b", "a%2Fb", "..", "x" * 65, "a\nb", "é"])
def test_an_impossible_id_is_not_found_without_a_call(
    referrals: Referrals, service: ScriptedService, referral_id: str
) -> None:
    with pytest.raises(NotFound):
        referrals.get(referral_id)

    assert service.requests == []


def test_changes_are_listed_by_date_newest_first(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"value": [stamp_of(1)]}))

    assert [[stamp["id"] for stamp in page] for page in referrals.changed_since(SINCE)] == [["r1"]]

    assert query_of(service.requests[0]) == {
        "$filter": "updatedDateTime ge 2026-01-31T08:00:00Z",
        "$orderby": "updatedDateTime desc",
        "$select": "id,eTag,organizationId,engagementId,createdDateTime,updatedDateTime,externalReferenceId,target",
    }


def test_the_date_in_the_filter_is_utc(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(json={"value": []}))

    list(referrals.created_since(datetime(2026, 1, 31, 9, tzinfo=timezone(timedelta(hours=2)))))

    assert query_of(service.requests[0])["$filter"] == "createdDateTime ge 2026-01-31T07:00:00Z"
    assert query_of(service.requests[0])["$orderby"] == "createdDateTime desc"


def test_only_the_query_of_a_next_link_is_used(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    odd = "http://evil.example/v1.0/referrals?$skiptoken=AbC%2B123&$top=5"
    service.set_script(
        answer(json={"value": [stamp_of(1)], "@odata.nextLink": odd}), answer(json={"value": [stamp_of(2)], "x": 1})
    )

    pages = list(referrals.changed_since(SINCE))

    assert [[stamp["id"] for stamp in page] for page in pages] == [["r1"], ["r2"]]
    assert str(service.requests[1].url) == (
        "https://partner.example/v1.0/engagements/referrals?$skiptoken=AbC%2B123&$top=5"
    )


def test_only_a_missing_next_link_ends_the_list(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(
        answer(json={"value": [], "@odata.nextlink": "?$skiptoken=1"}),
        answer(json={"value": [stamp_of(2)], "@odata.nextLink": "?$skiptoken=2"}),
        answer(json={"value": []}),
    )

    assert [len(page) for page in referrals.changed_since(SINCE)] == [1]
    assert len(service.requests) == 3


@pytest.mark.parametrize("link", ["?$skiptoken=1", "http://partner.example/v1.0/referrals"])
def test_a_next_link_that_repeats_or_has_no_query_is_an_error(
    referrals: Referrals, service: ScriptedService, answer: Answer, link: str
) -> None:
    service.set_script(answer(json={"value": [stamp_of(1)], "@odata.nextLink": link}))

    with pytest.raises(Unavailable):
        list(referrals.changed_since(SINCE))

    assert len(service.requests) <= 2


def test_if_the_filter_is_refused_the_list_is_read_until_the_date(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    old = stamp_of(3, "2026-01-30T00:00:00Z")
    service.set_script(
        answer(400, json={"error": {"code": "invalidRequest", "message": "no such filter"}}),
        answer(json={"value": [stamp_of(1)], "@odata.nextLink": "?$skiptoken=1"}),
        answer(json={"value": [stamp_of(2), old], "@odata.nextLink": "?$skiptoken=2"}),
    )

    pages = list(referrals.changed_since(SINCE))

    assert [[stamp["id"] for stamp in page] for page in pages] == [["r1"], ["r2"]]
    assert "$filter" not in query_of(service.requests[1])
    assert query_of(service.requests[1])["$orderby"] == "updatedDateTime desc"
    assert len(service.requests) == 3


def test_a_refused_filter_is_not_tried_again(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(400, json={}), answer(json={"value": []}))
    list(referrals.changed_since(SINCE))
    list(referrals.changed_since(SINCE))

    assert ["$filter" in query_of(request) for request in service.requests] == [True, False, False]


def test_whole_referrals_of_a_time_are_listed_to_the_microsecond(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"value": [stamp_of(1)]}))

    assert len(list(referrals.changed_between(SINCE, SINCE + timedelta(seconds=2)))) == 1

    assert query_of(service.requests[0]) == {
        "$filter": "updatedDateTime ge 2026-01-31T08:00:00.999999Z and updatedDateTime le 2026-01-31T08:00:03.000000Z",
        "$orderby": "updatedDateTime desc",
    }


def test_a_refused_filter_of_a_time_leaves_that_of_the_stamps(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(400, json={}), answer(json={"value": []}))

    list(referrals.changed_between(SINCE, SINCE))
    list(referrals.changed_between(SINCE, SINCE))
    list(referrals.changed_since(SINCE))

    assert ["$filter" in query_of(request) for request in service.requests] == [True, False, False, True]


def test_a_list_that_is_refused_without_a_filter_too_is_rejected(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(400, json={"error": {"code": "invalidRequest", "message": "no"}}))

    with pytest.raises(Rejected):
        list(referrals.changed_since(SINCE))

    assert len(service.requests) == 2


def test_a_stamp_without_a_readable_date_is_passed_on(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"value": [{"id": "r1"}, {"id": "r2", "updatedDateTime": "soon"}]}))

    assert [len(page) for page in referrals.changed_since(SINCE)] == [2]


def test_an_item_without_an_id_does_not_block_the_others(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"value": [None, {"id": 5}, {"id": "\u00e9"}, {"id": "a/b"}, {}, stamp_of(1), "x"]}))

    assert [[stamp["id"] for stamp in page] for page in referrals.changed_since(SINCE)] == [["r1"]]


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"value": [], "@odata.nextLink": 5}, []])
def test_a_list_of_another_shape_is_an_error(
    referrals: Referrals, service: ScriptedService, answer: Answer, body: object
) -> None:
    service.set_script(answer(text=json.dumps(body)))

    with pytest.raises(Unavailable):
        list(referrals.changed_since(SINCE))
