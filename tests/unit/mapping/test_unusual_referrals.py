"""Whatever Partner Center sends is accepted: an unusual value is left out, and the rest of the deal is read."""

from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.deal import Company, Deal, Money, Person, Status
from shared.foundation.errors import Unavailable
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.paths import set_value
from shared.mapping.referral_kind import is_lead
from shared.mapping.translation import Translation

TRANSLATION = Translation(ReferralConstants("1234567"))

REFERRAL: dict[str, Any] = {
    "id": "5D0F3F5E-7C1F-4B0E-9D55-0C9A1F2E3D4C",
    "engagementId": "e",
    "name": "Northwind ERP renewal",
    "externalReferenceId": "006000000000001AAA",
    "createdDateTime": "2026-02-28T17:27:47.8754901Z",
    "updatedDateTime": "2026-02-28T17:27:48.1Z",
    "status": "Active",
    "substatus": "Accepted",
    "statusReason": None,
    "qualification": "SalesQualified",
    "type": "Independent",
    "eTag": '"84001c9d-0000-0100-0000-6225a63e0000"',
    "organizationId": "11111111-2222-3333-4444-555555555555",
    "customerProfile": {
        "name": "Northwind Traders Ltd",
        "address": {"addressLine1": "1 Main Street", "city": "Seattle", "country": "us"},
        "team": [{"firstName": "Contact", "lastName": "One", "email": "contact.one@northwind.example"}],
    },
    "details": {
        "notes": "Replacing the finance system.",
        "dealValue": Decimal("120000.004"),
        "currency": "usd",
        "closingDateTime": "2026-06-30T00:00:00Z",
        "requirements": {"solutions": [{"id": "SOL-12345-ABC", "type": "Name"}]},
    },
    "team": [{"firstName": "Seller", "lastName": "One", "email": "seller.one@contoso.example"}],
    "target": [],
}
FIELDS = set(TRANSLATION.fields) - {"size"}
"""The fields that every referral has. The size of the customer is optional, and most referrals have none."""


def referral_with(path: str, value: object) -> dict[str, Any]:
    referral = deepcopy(REFERRAL)
    set_value(referral, path, value)
    return referral


def referral_without(path: str) -> dict[str, Any]:
    referral = deepcopy(REFERRAL)
    *parents, last = path.strip("/").split("/")
    inner = referral
    for step in parents:
        inner = inner[step]
    del inner[last]
    return referral


def deal_in(referral: dict[str, Any]) -> Deal:
    return TRANSLATION.referral(referral).deal


def test_a_referral_in_the_documented_shape_is_read() -> None:
    referral = TRANSLATION.referral(REFERRAL)
    assert referral.id == "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"
    assert referral.created == datetime(2026, 2, 28, 17, 27, 47, 875490, tzinfo=UTC), "seven digits are accepted"
    assert dict(referral.deal) == {
        "name": "Northwind ERP renewal",
        "account": Company("Northwind Traders Ltd", "US", "1 Main Street", "Seattle"),
        "contacts": (Person("One", "Contact", "contact.one@northwind.example"),),
        "money": Money(Decimal("120000.00"), "USD"),
        "closing": date(2026, 6, 30),
        "notes": "Replacing the finance system.",
        "status": Status("Active", "Accepted"),
        "sales_stage": None,
        "campaign": None,
        "referral_program": None,
        **dict.fromkeys(("marketplace_intent", "solution_area", "solution_play", "partner_role")),
        "solutions": ("SOL-12345-ABC",),
        "team": (Person("One", "Seller", "seller.one@contoso.example"),),
    }


@pytest.mark.parametrize(
    ("path", "value", "unreadable"),
    [
        ("/status", "Simmering", {"status"}),
        ("/substatus", "Engaged", {"status"}),
        ("/status", None, {"status"}),
        ("/qualification", "Telepathic", set()),
        ("/type", "Entangled", set()),
        ("/target", None, set()),
        ("/target", [None, "msft", {"id": None}], set()),
        ("/team", None, set()),
        ("/customerProfile/team", None, set()),
        ("/customerProfile/team", [None, 7, {}, {"firstName": None}], set()),
        ("/customerProfile/address", None, set()),
        ("/customerProfile/address/country", "Atlantis", set()),
        ("/customerProfile", None, set()),
        ("/customerProfile", [], set()),
        ("/details", None, set()),
        ("/details/requirements", None, set()),
        ("/details/requirements/solutions", None, set()),
        ("/details/requirements/solutions", [None, {"id": None}, {"type": "Name"}], set()),
        ("/details/requirements/solutions", {"id": "SOL-1"}, set()),
        ("/details/dealValue", None, set()),
        ("/details/dealValue", "a lot", {"money"}),
        ("/details/dealValue", Decimal("NaN"), {"money"}),
        ("/details/dealValue", Decimal("1E+30"), {"money"}),
        ("/details/currency", "XBT", {"money"}),
        ("/details/closingDateTime", "0001-01-01T00:00:00Z", {"closing"}),
        ("/details/closingDateTime", "1699-12-31T00:00:00Z", {"closing"}),
        ("/details/closingDateTime", "1700-01-01T00:00:00Z", set()),
        ("/details/closingDateTime", "4000-12-31T00:00:00Z", set()),
        ("/details/closingDateTime", "9999-12-31T23:59:59.9999999Z", {"closing"}),
        ("/details/closingDateTime", "0001-01-01T00:00:00+14:00", {"closing"}),
        ("/details/closingDateTime", "next summer", {"closing"}),
        ("/details/closingDateTime", "2026-06-30T00:00:00.1234567Z", set()),
        ("/details/notes", 7, set()),
        ("/details/notes", "\r\n", set()),
        ("/surprise", {"of": ["any", {"shape": None}]}, set()),
        ("/inviteContext", "none", set()),
        ("/createdDateTime", None, set()),
    ],
)
def test_an_unusual_value_affects_at_most_its_own_field(path: str, value: object, unreadable: set[str]) -> None:
    assert set(deal_in(referral_with(path, value))) == FIELDS - unreadable


@pytest.mark.parametrize(
    "path",
    [
        "/name", "/externalReferenceId", "/engagementId", "/organizationId", "/createdDateTime", "/customerProfile",
        "/customerProfile/team", "/details", "/details/notes", "/details/requirements", "/team", "/target", "/type",
        "/qualification",
    ],
)  # fmt: skip
def test_an_optional_part_may_be_missing(path: str) -> None:
    assert set(deal_in(referral_without(path))) == FIELDS


@pytest.mark.parametrize("path", ["/id", "/eTag", "/updatedDateTime"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_referral_without_id_version_or_date_cannot_be_read(path: str, how: str) -> None:
    with pytest.raises(Unavailable, match="a referral cannot be read") as caught:
        TRANSLATION.referral(referral_without(path) if how == "missing" else referral_with(path, None))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_unknown_status_is_kept_raw_for_the_latches() -> None:
    referral = TRANSLATION.referral(referral_with("/status", "Simmering"))
    assert referral.status == Status("Simmering", "Accepted")
    assert "status" not in referral.deal


@pytest.mark.parametrize(
    ("member", "person"),
    [
        ({"firstName": "Ann"}, Person("Ann")),
        ({"email": "ann@northwind.example"}, Person("ann@northwind.example", email="ann@northwind.example")),
        ({"firstName": "Ann", "lastName": "x" * 79 + " y"}, Person("x" * 79, "Ann")),
        ({"lastName": "Lee", "email": f"{'a' * 80}@northwind.example"}, Person("Lee")),
        ({"lastName": "Lee", "phoneNumber": "1" * 50}, Person("Lee", phone="1" * 40)),
        ({"lastName": " Lee ", "title": ""}, Person("Lee")),
    ],
)
def test_people_have_a_name_and_fit_into_a_contact(member: dict[str, str], person: Person) -> None:
    assert deal_in(referral_with("/customerProfile/team", [member]))["contacts"] == (person,)


def test_an_address_fits_into_an_account() -> None:
    long = {"addressLine1": "s" * 300, "city": "c" * 50, "state": "t" * 90, "postalCode": "9" * 30, "country": "DE"}
    company = deal_in(referral_with("/customerProfile/address", long))["account"]
    assert company == Company("Northwind Traders Ltd", "DE", "s" * 255, "c" * 40, "t" * 80, "9" * 20)


# --- deals and leads (docs/reference/partner-center.md#leads-and-deals) -----------------------------------------------


@pytest.mark.parametrize(
    ("kind", "qualification", "invited_by", "lead"),
    [
        ("Independent", "Direct", "msft", True),
        ("Independent", "Direct", None, True),
        ("Independent", "Direct", "another-partner", False),
        ("Independent", "SalesQualified", "msft", True),
        ("Independent", "MarketingQualified", "msft", True),
        ("Independent", "SalesQualified", None, False),
        ("Independent", "SalesQualified", "another-partner", False),
        ("Independent", "None", None, False),
        ("Shared", "SalesQualified", "msft", False),
        ("Shared", "Direct", "msft", False),
    ],
)
def test_leads_are_distinguished_from_deals(kind: str, qualification: str, invited_by: str | None, lead: bool) -> None:
    context = {"invitedBy": {"organizationId": invited_by}} if invited_by else None
    assert is_lead({"type": kind, "qualification": qualification, "inviteContext": context}) is lead


def test_microsofts_own_record_is_recognised_by_its_target() -> None:
    assert TRANSLATION.referral(
        referral_with("/target", [{"type": "BusinessProfileLocation", "id": "msft"}])
    ).is_target_microsoft
    assert not TRANSLATION.referral(
        referral_with("/target", [{"type": "SolutionProfile", "id": "SOL-1"}])
    ).is_target_microsoft
