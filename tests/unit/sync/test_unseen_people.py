"""People whom the integration user may not see are not removed (docs/protocol.md#customer-contacts)."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.mapping.translation import Translation
from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    colleague_lists_contacts,
    contacts_here,
    contacts_there,
    deal_with,
    mark_of,
)

ADA = {"firstName": "Ada", "lastName": "Lind", "email": "ada@northwind.example", "phoneNumber": "+1 206 555 0109"}
ADDRESSES = [KIM["Email"], LEE["Email"], ADA["email"]]
UNSEEN = "Contact Roles is not synced for now, because the integration user may not see everybody on the list."
HIDDEN = "Contact Roles is not synced, because the integration user may not see Contact.Email"


def test_a_hidden_address_removes_nobody_and_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness, KIM, LEE)
    restrict_known_columns(harness, hidden=["Contact.Email"])
    colleague_lists_contacts(harness, deal, *harness.referral_of(deal)["customerProfile"]["team"], ADA)
    harness.seller_edits(deal, Amount=4)
    harness.run_rounds()
    assert contacts_there(harness, deal) == ADDRESSES
    assert (harness.count_in_audit(deal, HIDDEN), mark_of(harness, deal)) == (1, "Synced with differences")
    assert_quiet(harness)
    restrict_known_columns(harness)
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    assert contacts_here(harness, deal) == contacts_there(harness, deal) == ADDRESSES


def test_a_contact_role_whose_contact_cannot_be_seen_removes_nobody(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator shows every parent, so the answer is made poorer here."""
    deal = deal_with(harness, KIM, LEE)
    owner = Translation
    read = owner.opportunity

    def without_lee(translation: Any, record: Mapping[str, Any], *rest: Any) -> Any:  # noqa: ANN401 - as the method
        roles = (record.get("OpportunityContactRoles") or {}).get("records") or []
        unseen = [role for role in roles if (role.get("Contact") or {}).get("Email") == LEE["Email"]]
        for role in unseen:
            role["Contact"] = None
        return read(translation, record, *rest)

    monkeypatch.setattr(owner, "opportunity", without_lee)
    harness.seller_edits(deal, Amount=4)
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["dealValue"] == 4
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert (harness.count_in_audit(deal, UNSEEN), mark_of(harness, deal)) == (1, "Synced with differences")
    assert_quiet(harness)
    team = harness.referral_of(deal)["customerProfile"]["team"]
    harness.pull_event(colleague_lists_contacts(harness, deal, *team, ADA))
    harness.run_rounds()
    assert (harness.count_in_audit(deal, UNSEEN), mark_of(harness, deal)) == (1, "Synced with differences")
    assert_quiet(harness)
    monkeypatch.undo()
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    assert (contacts_here(harness, deal), mark_of(harness, deal)) == (ADDRESSES, "Synced")
