"""Apply the changes that the service itself makes when a record is saved.

The rules: docs/reference/salesforce.md#opportunity and docs/reference/salesforce.md#opportunitycontactrole.
"""

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.schema import Record
from emulators.salesforce.data.setup_objects import FORECASTS
from emulators.salesforce.data.tables import Tables


def complete_before_save(tables: Tables, sobject: str, old: Record | None, new: Record, written: set[str]) -> None:
    """Fill in the fields that the service derives, in place; `written` names the fields that the caller set."""
    match sobject:
        case "Opportunity":
            _complete_opportunity(tables, old, new, written)
        case "Lead" if old and old["IsConverted"]:
            raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
        case "Contact" | "Lead" | "User":
            new["Name"] = " ".join(part for part in (new["FirstName"], new["LastName"]) if part)
        case "OpportunityStage":
            new["ApiName"] = new["ApiName"] or new["MasterLabel"]


def changes_after_save(tables: Tables, sobject: str, new: Record) -> list[tuple[str, str, Record]]:
    """The object, the id and the new values of each other record that the same transaction changes.

    An opportunity has one primary contact role: a new primary role takes the flag from the old one.
    """
    if sobject != "OpportunityContactRole" or not new["IsPrimary"]:
        return []
    roles = tables.records_by_value(sobject, "OpportunityId", new["OpportunityId"])
    others = [role["Id"] for role in roles if role["IsPrimary"] and role["Id"] != new["Id"]]
    return [(sobject, role_id, {"IsPrimary": False}) for role_id in others]


def _complete_opportunity(tables: Tables, old: Record | None, new: Record, written: set[str]) -> None:
    if old and old["HasOpportunityLineItem"]:
        _keep_total(old, new, written)
    if old is None or new["StageName"] != old["StageName"]:
        _apply_stage(tables, new, written)
    forecasts = {label: value for value, label in FORECASTS.items()}
    new["ForecastCategory"] = forecasts.get(new["ForecastCategoryName"])
    amount, probability = new["Amount"], new["Probability"]
    new["ExpectedRevenue"] = None if amount is None else round(amount * (probability or 0) / 100, 2)


def _keep_total(old: Record, new: Record, written: set[str]) -> None:
    """The amount is the sum of the line items: the service ignores a written one without an error. Raises ApiError.

    Only a change of the line items themselves, which writes their flag too, changes it.
    """
    if new.get("CurrencyIsoCode") != old.get("CurrencyIsoCode"):
        message = "field integrity exception: the currency cannot change while there are line items"
        raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", message, ["CurrencyIsoCode"])
    if "HasOpportunityLineItem" not in written:
        new["Amount"] = old["Amount"]


def _apply_stage(tables: Tables, new: Record, written: set[str]) -> None:
    """Set the flags of the new stage, and its probability and forecast unless the same write sets them."""
    stages = tables.stored_records("OpportunityStage")
    stage = next((each for each in stages if each["ApiName"] == new["StageName"]), None)
    # The picklist is not restricted, so an unknown stage is stored, as an open one.
    new["IsClosed"] = bool(stage and stage["IsClosed"])
    new["IsWon"] = bool(stage and stage["IsWon"])
    if "Probability" not in written:
        new["Probability"] = stage["DefaultProbability"] if stage else 0.0
    if "ForecastCategoryName" not in written:
        new["ForecastCategoryName"] = stage["ForecastCategoryName"] if stage else FORECASTS["Pipeline"]
