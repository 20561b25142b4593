"""Convert a lead as a person does in the browser: REST has no resource for it.

The rules: docs/reference/salesforce.md#lead-conversion.
"""

from typing import Any

from emulators.salesforce.data.schema import Record
from emulators.salesforce.emulated_org import EmulatedOrg

CONVERTED = "Closed - Converted"
_OF_ACCOUNT = ("Phone", "Website", "NumberOfEmployees")
_OF_CONTACT = ("FirstName", "LastName", "Title", "Email", "Phone", "MobilePhone")
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_CLOSE_DATE = "2026-12-31"


def convert_lead(
    emulated: EmulatedOrg,
    id: str,  # noqa: A002 - a key of the control request
    deal: str | None = "",
    account: str | None = None,
) -> dict[str, str | None]:
    """Make an account, a contact and an opportunity of a lead; returns their ids. Raises ApiError.

    `deal` is the name of the opportunity: empty for the company's, None for no opportunity. `account` is the id of an
    account to use instead of a new one.
    """
    lead = emulated.record("Lead", id)
    company = account or emulated.insert("Account", _account_values(lead))
    contact = emulated.insert("Contact", {**_filled(lead, _OF_CONTACT), "AccountId": company})
    opportunity = None
    if deal is not None:
        values = {"Name": deal or f"{lead['Company']}-", "StageName": "Prospecting", "CloseDate": _CLOSE_DATE}
        values |= {"AccountId": company, **_filled(lead, ("LeadSource",))}
        opportunity = emulated.insert("Opportunity", values)
        emulated.insert(
            "OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": True}
        )
    _close_lead(emulated, lead, {"Account": company, "Contact": contact, "Opportunity": opportunity})
    return {"account": company, "contact": contact, "deal": opportunity}


def _close_lead(emulated: EmulatedOrg, lead: Record, made: dict[str, str | None]) -> None:
    values: dict[str, Any] = {f"Converted{name}Id": made_id for name, made_id in made.items()}
    values |= {"IsConverted": True, "ConvertedDate": f"{emulated.clock.now():%Y-%m-%d}", "Status": CONVERTED}
    with emulated.lock:
        emulated.org.update("Lead", lead["Id"], values, emulated.seller, system=True)
        emulated.org.clear_undo_log()


def _account_values(lead: Record) -> Record:
    address = {f"Billing{part}": lead[part] for part in _ADDRESS if lead[part] is not None}
    return {"Name": lead["Company"], **_filled(lead, _OF_ACCOUNT), **address}


def _filled(lead: Record, names: tuple[str, ...]) -> Record:
    return {name: lead[name] for name in names if lead[name] is not None}
