"""Reading referrals: shapes, lists, the odd nextLink."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.clients.partner_center.referrals import Referrals
from shared.foundation.errors import NotFound, Rejected, Unavailable
from shared.sync.ports import PartnerCenter
from tests.unit.clients.partner_center.far_side import Answer, FarSide

ID = "0a5f0000-1111-2222-3333-444455556666"
SINCE = datetime(2026, 1, 31, 8, 0, 0, 999999, tzinfo=UTC)


def _query(request: httpx.Request) -> dict[str, str]:
    return dict(request.url.params)


def _stamp(number: int, moment: str = "2026-02-01T00:00:00.1234567Z") -> dict[str, Any]:
    return {"id": f"r{number}", "eTag": f'"{number}"', "updatedDateTime": moment, "createdDateTime": moment}


def test_the_client_is_the_port(referrals: Referrals) -> None:
    port: PartnerCenter = referrals

    assert port is referrals


def test_names_are_read_in_any_case_at_any_depth(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"Id": ID, "ETag": '"1"', "CustomerProfile": {"Team": [{"FirstName": "A"}]}}))

    assert referrals.get(ID) == {"id": ID, "eTag": '"1"', "customerProfile": {"team": [{"firstName": "A"}]}}


def test_a_name_in_camel_case_wins_over_its_twin(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"id": ID, "name": "right", "Name": "wrong"}))

    assert referrals.get(ID)["name"] == "right"


def test_what_we_do_not_know_passes_untouched(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    referral = {
        "id": ID,
        "eTag": '"8400-0"',
        "status": "Hibernating",
        "target": None,
        "updatedDateTime": "2026-02-28T17:27:47.8754901Z",
        "@odata.context": "x",
        "newThing": {"of": [1, None, True]},
    }
    far_side.says(answer(json=referral))

    assert referrals.get(ID) == referral


def test_money_is_never_a_float(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(text=json.dumps({"id": ID, "details": {"dealValue": 0}}).replace("0}", "1234567.10}")))

    value = referrals.get(ID)["details"]["dealValue"]

    assert (type(value), str(value)) == (Decimal, "1234567.10")


def test_the_version_is_taken_from_the_header_where_the_body_has_none(
    referrals: Referrals, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(json={"id": ID, "eTag": None}, ETag='"9"'))

    assert referrals.get(ID)["eTag"] == '"9"'


def test_a_read_is_asked_for_as_documented(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"id": ID}))

    referrals.get(ID)
    referrals.get(ID)

    first, second = far_side.requests
    assert str(first.url) == f"https://partner.example/v1.0/engagements/referrals/{ID}"
    assert first.headers["Authorization"] == "Bearer token-1"
    assert first.headers["Accept"] == "application/json"
    assert first.headers["MS-CorrelationId"] == first.headers["client-request-id"] == "call-1"
    assert second.headers["MS-CorrelationId"] == "call-2"


@pytest.mark.parametrize("referral_id", ["", "../../v1.0/me", "a/b", "a?b", "a%2Fb", "..", "x" * 65, "a\nb", "é"])
def test_what_cannot_be_an_id_is_not_found_without_a_call(
    referrals: Referrals, far_side: FarSide, referral_id: str
) -> None:
    with pytest.raises(NotFound):
        referrals.get(referral_id)

    assert far_side.requests == []


def test_changes_are_asked_for_newest_first_by_date(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"value": [_stamp(1)]}))

    assert [[stamp["id"] for stamp in page] for page in referrals.changed_since(SINCE)] == [["r1"]]

    assert _query(far_side.requests[0]) == {
        "$filter": "updatedDateTime ge 2026-01-31T08:00:00Z",
        "$orderby": "updatedDateTime desc",
        "$select": "id,eTag,organizationId,engagementId,createdDateTime,updatedDateTime,externalReferenceId,target",
    }


def test_the_date_of_the_filter_is_utc(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"value": []}))

    list(referrals.created_since(datetime(2026, 1, 31, 9, tzinfo=timezone(timedelta(hours=2)))))

    assert _query(far_side.requests[0])["$filter"] == "createdDateTime ge 2026-01-31T07:00:00Z"
    assert _query(far_side.requests[0])["$orderby"] == "createdDateTime desc"


def test_of_a_next_link_only_the_query_is_used(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    odd = "http://evil.example/v1.0/referrals?$skiptoken=AbC%2B123&$top=5"
    far_side.says(
        answer(json={"value": [_stamp(1)], "@odata.nextLink": odd}), answer(json={"value": [_stamp(2)], "x": 1})
    )

    pages = list(referrals.changed_since(SINCE))

    assert [[stamp["id"] for stamp in page] for page in pages] == [["r1"], ["r2"]]
    assert str(far_side.requests[1].url) == (
        "https://partner.example/v1.0/engagements/referrals?$skiptoken=AbC%2B123&$top=5"
    )


def test_only_the_missing_link_ends_the_list(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(
        answer(json={"value": [], "@odata.nextlink": "?$skiptoken=1"}),
        answer(json={"value": [_stamp(2)], "@odata.nextLink": "?$skiptoken=2"}),
        answer(json={"value": []}),
    )

    assert [len(page) for page in referrals.changed_since(SINCE)] == [1]
    assert len(far_side.requests) == 3


@pytest.mark.parametrize("link", ["?$skiptoken=1", "http://partner.example/v1.0/referrals"])
def test_a_link_that_leads_in_a_circle_or_nowhere_is_no_end(
    referrals: Referrals, far_side: FarSide, answer: Answer, link: str
) -> None:
    far_side.says(answer(json={"value": [_stamp(1)], "@odata.nextLink": link}))

    with pytest.raises(Unavailable):
        list(referrals.changed_since(SINCE))

    assert len(far_side.requests) <= 2


def test_where_the_filter_is_refused_the_list_is_read_until_the_date(
    referrals: Referrals, far_side: FarSide, answer: Answer
) -> None:
    old = _stamp(3, "2026-01-30T00:00:00Z")
    far_side.says(
        answer(400, json={"error": {"code": "invalidRequest", "message": "no such filter"}}),
        answer(json={"value": [_stamp(1)], "@odata.nextLink": "?$skiptoken=1"}),
        answer(json={"value": [_stamp(2), old], "@odata.nextLink": "?$skiptoken=2"}),
    )

    pages = list(referrals.changed_since(SINCE))

    assert [[stamp["id"] for stamp in page] for page in pages] == [["r1"], ["r2"]]
    assert "$filter" not in _query(far_side.requests[1])
    assert _query(far_side.requests[1])["$orderby"] == "updatedDateTime desc"
    assert len(far_side.requests) == 3


def test_a_refused_filter_is_not_tried_again(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(400, json={}), answer(json={"value": []}))
    list(referrals.changed_since(SINCE))
    list(referrals.changed_since(SINCE))

    assert ["$filter" in _query(request) for request in far_side.requests] == [True, False, False]


def test_a_list_that_is_refused_without_a_filter_too_is_rejected(
    referrals: Referrals, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(400, json={"error": {"code": "invalidRequest", "message": "no"}}))

    with pytest.raises(Rejected):
        list(referrals.changed_since(SINCE))

    assert len(far_side.requests) == 2


def test_a_stamp_without_a_readable_date_is_passed_on(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"value": [{"id": "r1"}, {"id": "r2", "updatedDateTime": "soon"}]}))

    assert [len(page) for page in referrals.changed_since(SINCE)] == [2]


def test_an_item_without_an_id_blocks_no_other(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"value": [None, {"id": 5}, {"id": "\u00e9"}, {"id": "a/b"}, {}, _stamp(1), "x"]}))

    assert [[stamp["id"] for stamp in page] for page in referrals.changed_since(SINCE)] == [["r1"]]


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"value": [], "@odata.nextLink": 5}, []])
def test_a_list_of_another_shape_is_no_list(
    referrals: Referrals, far_side: FarSide, answer: Answer, body: object
) -> None:
    far_side.says(answer(text=json.dumps(body)))

    with pytest.raises(Unavailable):
        list(referrals.changed_since(SINCE))
