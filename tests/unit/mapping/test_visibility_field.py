"""What Partner Center is sent so that Microsoft's sellers see a deal, and what it never takes back."""

from typing import Any

import pytest

from shared.domain.deal import PRIVATE, VISIBLE
from shared.mapping.referral_kind import CONSENT
from shared.mapping.visibility_field import VisibilityField

FIELD = VisibilityField(label="Visible", salesforce="Visible_to_Microsoft__c")
SOLUTIONS = {"details": {"requirements": {"solutions": [{"id": "SOL-1"}, {"id": "SOL-2"}]}}}


@pytest.mark.parametrize(
    ("value", "old", "paths"),
    [(VISIBLE, PRIVATE, [CONSENT]), (VISIBLE, None, [CONSENT]), (VISIBLE, VISIBLE, []), (PRIVATE, VISIBLE, [])],
)
def test_only_a_deal_that_becomes_visible_is_sent(value: str, old: str | None, paths: list[str]) -> None:
    operations = FIELD.patch_operations(value, old)
    assert [(one["path"], one["value"]) for one in operations] == [(path, True) for path in paths]


@pytest.mark.parametrize(("body", "target"), [(SOLUTIONS, "SOL-1"), ({}, None)], ids=["solutions", "none"])
def test_a_new_visible_deal_is_shared_and_addressed_by_its_first_solution(
    body: dict[str, Any], target: str | None
) -> None:
    sent = {**body, "type": "Independent"}
    FIELD.add_to_body(VISIBLE, sent)
    assert (sent["type"], sent["target"]) == ("Shared", [{"type": "SolutionProfile", "id": target}])
    assert sent["consent"] == {"consentToShareReferralWithMicrosoftSellers": True}


def test_a_new_private_deal_is_sent_as_it_is() -> None:
    sent: dict[str, Any] = {"type": "Independent"}
    FIELD.add_to_body(PRIVATE, sent)
    assert sent == {"type": "Independent"}
