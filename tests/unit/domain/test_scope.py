"""A scope says which referrals an environment may link (docs/protocol.md#who-may-be-linked)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import Deal, Status
from shared.domain.leads import Leads
from shared.domain.records import Referral
from shared.domain.scope import Scope, long_id

ORGANIZATION = "11111111-2222-3333-4444-55555555555a"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
PRODUCTION, STAGING = Scope(ORGANIZATION, None, BEGIN), Scope(ORGANIZATION, "STAGING", BEGIN)
AS_OPPORTUNITY = replace(PRODUCTION, leads=Leads.OPPORTUNITY)
INBOUND = Referral("r", "1", Deal(), BEGIN, organization_id=ORGANIZATION, created=BEGIN)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001D000000IqhSL", "001D000000IqhSLIAZ"),
        ("006000000000001", "006000000000001AAA"),
        ("006ABCDEFGHIJKL", "006ABCDEFGHIJKLY55"),
    ],
)
def test_the_long_form_of_an_id_encodes_its_case_in_the_last_three_letters(short: str, long: str) -> None:
    assert long_id(short) == long
    assert long_id(long) == long


@pytest.mark.parametrize(
    ("reference", "opportunity"),
    [
        ("006000000000001AAA", "006000000000001AAA"),
        ("006000000000001", "006000000000001AAA"),
        (" 006000000000001AAA\n", "006000000000001AAA"),
        (" STAGING:006000000000001AAA ", None),
        ("STAGING:006000000000001AAA", None),
        ("001000000000001AAA", None),
        ("006", None),
        ("CRM-4711", None),
        ("", None),
        (None, None),
    ],
)
def test_production_reads_untagged_references(reference: str | None, opportunity: str | None) -> None:
    assert PRODUCTION.opportunity_named_by(reference) == opportunity


@pytest.mark.parametrize(
    ("reference", "opportunity"),
    [
        ("STAGING:006000000000001AAA", "006000000000001AAA"),
        ("006000000000001AAA", None),
        ("STAGING2:006000000000001AAA", None),
        ("staging:006000000000001AAA", None),
        ("STAGING:", None),
    ],
)
def test_outside_production_only_references_with_the_environments_tag_are_read(
    reference: str, opportunity: str | None
) -> None:
    assert STAGING.opportunity_named_by(reference) == opportunity


@pytest.mark.parametrize(
    ("scope", "changes", "reason"),
    [
        (PRODUCTION, {}, None),
        (PRODUCTION, {"organization_id": ORGANIZATION.upper()}, None),
        (PRODUCTION, {"organization_id": "msft"}, "foreign_organization"),
        (PRODUCTION, {"organization_id": None}, "foreign_organization"),
        (PRODUCTION, {"external_reference": " STAGING:006000000000001AAA"}, "other_environment"),
        (PRODUCTION, {"external_reference": "somebody's own number"}, None),
        (STAGING, {}, "other_environment"),
        (PRODUCTION, {"external_reference": "CRM:4711"}, None),
        (STAGING, {"external_reference": "STAGING:006000000000001AAA"}, None),
        (STAGING, {"external_reference": "STAGING:4711"}, "other_environment"),
        (PRODUCTION, {"is_lead": True}, "lead"),
        (AS_OPPORTUNITY, {"is_lead": True}, None),
        (AS_OPPORTUNITY, {"is_lead": True, "status": Status("New", "Pending")}, None),
        (AS_OPPORTUNITY, {"is_lead": True, "status": Status("Closed", "Lost")}, "lead_closed"),
        (replace(PRODUCTION, leads=Leads.LEAD), {"is_lead": True, "status": Status("Closed", "Lost")}, None),
        (AS_OPPORTUNITY, {"status": Status("Closed", "Lost")}, None),
        (PRODUCTION, {"is_target_microsoft": True}, "target_microsoft"),
        (PRODUCTION, {"created": BEGIN - timedelta(microseconds=1)}, "before_the_beginning"),
        (PRODUCTION, {"created": None}, None),
    ],
)
def test_an_unlinked_referral_outside_the_scope_is_excluded_with_a_reason(
    scope: Scope, changes: dict[str, object], reason: str | None
) -> None:
    assert scope.unlinked_exclusion_reason(replace(INBOUND, **changes)) == reason  # type: ignore[arg-type]  # fields by name
