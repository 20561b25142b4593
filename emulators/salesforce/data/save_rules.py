"""What the service itself changes when a record is saved (reference/salesforce.md 2.16)."""

from typing import TYPE_CHECKING

from emulators.salesforce.data.schema import Record
from emulators.salesforce.data.standard_objects import FORECASTS

if TYPE_CHECKING:
    from emulators.salesforce.data.org import Org


def before_save(org: "Org", sobject: str, old: Record | None, new: Record, written: set[str]) -> None:
    """Complete a record about to be stored."""
    match sobject:
        case "Opportunity":
            _opportunity(org, old, new, written)
        case "Contact" | "User":
            new["Name"] = " ".join(part for part in (new["FirstName"], new["LastName"]) if part)
        case "OpportunityStage":
            new["ApiName"] = new["ApiName"] or new["MasterLabel"]


def after_save(org: "Org", sobject: str, new: Record, by: str) -> None:
    """Change other records in the same transaction: an opportunity has one primary contact."""
    if sobject == "OpportunityContactRole" and new["IsPrimary"]:
        for role in list(org.lookup("OpportunityContactRole", "OpportunityId", new["OpportunityId"])):
            if role["IsPrimary"] and role["Id"] != new["Id"]:
                org.update("OpportunityContactRole", role["Id"], {"IsPrimary": False}, by)


def _opportunity(org: "Org", old: Record | None, new: Record, written: set[str]) -> None:
    if old and old["HasOpportunityLineItem"]:
        # Ignored without an error: the line items decide.
        new["Amount"] = old["Amount"]
    if old is None or new["StageName"] != old["StageName"]:
        _stage(org, new, written)
    forecasts = {label: value for value, label in FORECASTS.items()}
    new["ForecastCategory"] = forecasts.get(new["ForecastCategoryName"])
    amount, probability = new["Amount"], new["Probability"]
    new["ExpectedRevenue"] = None if amount is None else round(amount * (probability or 0) / 100, 2)


def _stage(org: "Org", new: Record, written: set[str]) -> None:
    """A stage brings its flags along; probability and forecast may be overridden in the same write."""
    stage = next((s for s in org.rows("OpportunityStage") if s["ApiName"] == new["StageName"]), None)
    # An org whose stage list is not restricted stores what it does not know, as an open stage.
    new["IsClosed"] = bool(stage and stage["IsClosed"])
    new["IsWon"] = bool(stage and stage["IsWon"])
    if "Probability" not in written:
        new["Probability"] = stage["DefaultProbability"] if stage else 0.0
    if "ForecastCategoryName" not in written:
        new["ForecastCategoryName"] = stage["ForecastCategoryName"] if stage else FORECASTS["Pipeline"]
