"""Rehearse the arrival of a deal: Salesforce checks all its records as at a real one, and then undoes them.

So it also tells what no description does: validation rules, what automation demands, and rights to record types.
"""

from datetime import datetime
from typing import Any

from shared.clients.salesforce.records import Node
from shared.clients.salesforce.rehearsal import rehearse_graph
from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.deal import Company
from shared.domain.link_states import Mark
from shared.mapping.creation_graph import creation_nodes
from shared.mapping.new_records import completed_nodes
from shared.mapping.translation import Translation

REFERRAL_ID = "c05e11d0-0000-4000-8000-000000000000"
"""The id of the rehearsed referral. No referral has it."""
NAME = "Co-sell rehearsal: this record is undone"


def check_arrival(installation: Installation) -> Verdict:
    """Check that Salesforce would take a deal with a new account and a contact."""
    translation = installation.translation
    nodes = _nodes(translation, installation.now())
    refused = rehearse_graph(installation.salesforce.connection, nodes, "opportunity")
    if refused is None:
        return ok("proven with a new account, contact and opportunity, which Salesforce undid")
    step, cause = refused
    what = f"{cause.code}{f' at {cause.field}' if cause.field else ''}"
    if step.startswith(("contact", "role")):
        return ok(f"a deal would arrive without its contact, whom Salesforce refuses: {what}")
    return failed(f"Salesforce would refuse the {step} of a deal that arrives: {what}", cause.remedy)


def _nodes(translation: Translation, now: datetime) -> list[Node]:
    referral = translation.referral(_sample(now))
    arrival = translation.arrival(referral, now)
    company = arrival.deal["account"]
    if not isinstance(company, Company):
        raise TypeError("the rehearsed referral names a customer")
    nodes = creation_nodes(
        translation.account(company),
        [translation.contact(person) for person in arrival.people],
        {**translation.new_opportunity(arrival.deal), **translation.shown_state(Mark.WAITING, "", referral.id)},
        translation.file.ours.identifier,
    )
    return completed_nodes(nodes, translation.file.new, translation.org, arrival.left_out, translation.stage_column)


def _sample(now: datetime) -> dict[str, Any]:
    """Return a referral as Partner Center sends it, with a value for everything that travels by default."""
    person = {"firstName": "Co-sell", "lastName": "Rehearsal", "email": "rehearsal@example.com"}
    address = {
        "addressLine1": "1 Main Street",
        "city": "Seattle",
        "state": "WA",
        "postalCode": "98101",
        "country": "US",
    }
    return {
        "id": REFERRAL_ID,
        "eTag": "rehearsal",
        "name": NAME,
        "status": "New",
        "substatus": "Pending",
        "createdDateTime": now.isoformat(),
        "updatedDateTime": now.isoformat(),
        "customerProfile": {
            "name": NAME,
            "address": address,
            "team": [{**person, "phoneNumber": "+1 425 555 0100", "title": "Buyer"}],
        },
        "details": {
            "dealValue": 1000,
            "currency": "USD",
            "closingDateTime": now.isoformat(),
            "notes": NAME,
            "requirements": {"solutions": []},
        },
    }
