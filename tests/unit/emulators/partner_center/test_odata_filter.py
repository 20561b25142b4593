"""A filter is parsed as the documentation describes, and anything else is a 400."""

import copy
from typing import Any

import pytest

from emulators.partner_center.odata_filter import parse_filter
from emulators.partner_center.referral_shape import MEMBER, REFERRAL
from emulators.partner_center.service_errors import ServiceError

GUID = "65edc0b5-0000-4000-8000-0000000000aa"


@pytest.fixture
def record() -> dict[str, Any]:
    record = copy.deepcopy(REFERRAL)
    record |= {"status": "Active", "engagementId": GUID, "name": "O'Hara", "direction": "Outgoing"}
    record |= {"updatedDateTime": "2026-03-04T11:02:18.824567Z", "type": "Shared", "isSpam": False}
    record["customerProfile"]["address"]["country"] = "US"
    record["details"]["dealValue"] = 120000
    record["team"] = [{**MEMBER, "email": "seller.one@contoso.com"}, {**MEMBER, "email": "seller.two@contoso.com"}]
    return record


@pytest.mark.parametrize(
    "text",
    [
        f"engagementId eq '{GUID}'",
        f"engagementId eq {GUID.upper()}",
        "status eq 'Active' and type eq 'Shared' and team/any(t:t/email eq 'seller.two@contoso.com')",
        "customerProfile/address/country eq 'US'",
        "name eq 'O''Hara'",
        "updatedDateTime ge 2026-03-04T11:02:18Z",
        "updatedDateTime eq 2026-03-04T12:02:18.8245670+01:00",
        "updatedDateTime lt 2026-03-05",
        "details/dealValue gt 119999.5",
        "isSpam eq false",
        "externalReferenceId eq null and closedDateTime eq null",
        "updatedDateTime ne null",
        "not (status eq 'New' or status eq 'Closed')",
        "not status eq 'New'",
        "status eq 'New' or status eq 'Active' and type eq 'Shared'",
        "(((status eq 'Active')))",
    ],
)
def test_a_filter_that_holds(record: dict[str, Any], text: str) -> None:
    assert parse_filter(text).test(record) is True


@pytest.mark.parametrize(
    "text",
    [
        "status eq 'active'",
        "(status eq 'New' or status eq 'Active') and type eq 'Independent'",
        "team/any(t:t/email eq 'nobody@contoso.com')",
        "updatedDateTime gt 2026-03-04T11:02:18.824567Z",
        "closedDateTime ge 2020-01-01T00:00:00Z",
        "closedDateTime lt 2120-01-01T00:00:00Z",
        "externalReferenceId gt 'a'",
        "status ne 'Active'",
    ],
)
def test_a_filter_that_does_not_hold(record: dict[str, Any], text: str) -> None:
    assert parse_filter(text).test(record) is False


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "status eq",
        "status is 'New'",
        "status eq New",
        "nonsense eq 'x'",
        "customerProfile eq 'x'",
        "customerProfile/nonsense eq 'x'",
        "team/any(t:t/nonsense eq 'x')",
        "team/any(t:t eq 'x')",
        "name/any(t:t/email eq 'x')",
        "t/email eq 'x'",
        "(status eq 'New'",
        "status eq 'New')",
        "status eq 'New' and",
        "status eq 'unfinished",
        "updatedDateTime ge '2026-03-04T11:02:18Z'",
        "updatedDateTime ge 2026-13-04T11:02:18Z",
        "name eq 2026-03-04T11:02:18Z",
        "contains(name,'x')",
        "name eq 'x'; drop",
    ],
)
def test_an_invalid_filter_is_a_400(text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_filter(text)
    assert caught.value.status == 400


def test_a_date_limits_the_list_only_if_every_match_must_fulfil_it() -> None:
    parsed = parse_filter(
        "updatedDateTime ge 2026-01-01T00:00:00Z and (status eq 'New' and updatedDateTime lt 2026-02-01)"
    )
    span = parsed.span_of("updatedDateTime")
    assert span.low is not None
    assert span.high is not None
    assert (span.high - span.low) == 31 * 86_400 * 10_000_000 - 1
    assert parsed.exact is False
    assert parse_filter("updatedDateTime gt 2026-01-01 and createdDateTime le 2026-01-02").exact is True

    for text in ("updatedDateTime ge 2026-01-01 or status eq 'New'", "not updatedDateTime ge 2026-01-01"):
        assert parse_filter(text).span_of("updatedDateTime").low is None
