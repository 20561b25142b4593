"""Leads that customers leave in a marketplace, and what they become in Salesforce."""

from collections.abc import Iterator, Mapping
from copy import replace
from typing import Any

import pytest

from emulators.salesforce.lead_conversion import convert_lead
from shared.domain.leads import Leads
from tests.unit.sync.harness import Harness

CUSTOMER: Mapping[str, Any] = {
    "name": "Fabrikam Robotics",
    "address": {"addressLine1": "9 Harbour Road", "city": "Aarhus", "state": "", "postalCode": "8000", "country": "DK"},
    "team": [
        {
            "firstName": "Ada",
            "lastName": "Lind",
            "email": "ada.lind@fabrikam.example",
            "phoneNumber": "+4512345678",
            "title": "Head of Robots",
        }
    ],
}

TICKED: Mapping[str, Any] = {
    "Sync_with_Partner_Center__c": True,
    "Products__c": "SOL-12345-ABC",
    "Amount": 5000,
    "Description": "Wants twelve.",
}
"""What a seller enters in a converted opportunity, so that nothing but its lead stops it."""


def harness_with(leads: Leads, **options: Any) -> Harness:  # noqa: ANN401 - those of the harness
    """A harness whose leads arrive so."""
    harness = Harness(**options)
    harness.scope = replace(harness.scope, leads=leads)
    harness.first = harness.new_instance()
    return harness


@pytest.fixture
def leads() -> Iterator[Harness]:
    """A harness in which leads arrive as leads."""
    with harness_with(Leads.LEAD) as harness:
        yield harness


@pytest.fixture
def lead_opportunities() -> Iterator[Harness]:
    """A harness in which leads arrive as opportunities."""
    with harness_with(Leads.OPPORTUNITY) as harness:
        yield harness


def customer_asks(harness: Harness, **fields: Any) -> str:  # noqa: ANN401 - the fields of a referral
    """A lead arrives in Partner Center. Returns the referral's id; no event reports it yet."""
    customer = {**CUSTOMER, **fields.pop("customerProfile", {})}
    return harness.partner_center.customer_asks(name="Robots for the harbour", customerProfile=customer, **fields)


def salesforce_leads(harness: Harness) -> list[dict[str, Any]]:
    """The leads of Salesforce that are not deleted."""
    return [dict(record) for record in harness.salesforce.records("Lead") if not record["IsDeleted"]]


def lead_of(harness: Harness, referral_id: str) -> dict[str, Any]:
    """The one lead of a referral. Raises ValueError if there is none, or several."""
    (lead,) = (record for record in salesforce_leads(harness) if record["Referral_Identifier__c"] == referral_id)
    return lead


def arrived_lead(harness: Harness, **fields: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    """A lead that has arrived in Salesforce. Returns both ids: the referral's and the record's."""
    referral = customer_asks(harness, **fields)
    harness.pull_event(referral)
    return referral, str(lead_of(harness, referral)["Id"])


def edit_lead(harness: Harness, record_id: str, **values: object) -> None:
    """A person edits a lead in Salesforce."""
    harness.advance_time(5)
    harness.salesforce.edit("Lead", record_id, values)


def accept_lead(harness: Harness, referral_id: str) -> None:
    """A colleague accepts the lead in the portal."""
    harness.colleague_edits(referral_id, status="Active", substatus="Accepted")


def convert(harness: Harness, record_id: str, deal: str | None = "") -> str:
    """A person converts a lead into an opportunity with a name, or into none. Returns the id of the opportunity."""
    harness.advance_time(5)
    return convert_lead(harness.salesforce, record_id, deal)["deal"] or ""


def forget_lead(harness: Harness, referral_id: str) -> None:
    """Delete the pointer of a lead, as the release before does."""
    pointer = harness.store.pointer(referral_id)
    assert pointer is not None
    harness.store.delete_pointer(referral_id, pointer)
