"""Fill an empty org with the records of its first day: settings, stages, currencies, and two users."""

from dataclasses import dataclass

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.setup_objects import DEFAULT_ACCESS, FORECASTS
from emulators.salesforce.data.standard_objects import CURRENCIES, STAGES


@dataclass(frozen=True, slots=True)
class Founding:
    """The ids of the organisation and of its two users."""

    organization: str
    administrator: str
    seller: str


def found_org(org: Org, *, multi_currency: bool) -> Founding:
    """Insert the organisation, its users, stages and currencies."""
    organization = org.insert("Organization", _organization_values(), "")
    administrator = org.insert("User", _user_values("Admin", "Ada"), "")
    seller = org.insert("User", _user_values("Seller", "Sam"), administrator)
    for place, (label, probability, closed, won, forecast) in enumerate(STAGES, 1):
        stage = {"MasterLabel": label, "SortOrder": place, "DefaultProbability": probability, "IsClosed": closed}
        stage |= {"IsWon": won, "ForecastCategory": forecast, "ForecastCategoryName": FORECASTS[forecast]}
        org.insert("OpportunityStage", stage, administrator)
    for code, rate, places in CURRENCIES if multi_currency else ():
        values = {"IsoCode": code, "ConversionRate": rate, "DecimalPlaces": places, "IsCorporate": code == "USD"}
        org.insert("CurrencyType", values, administrator)
    org.clear_undo_log()
    return Founding(organization, administrator, seller)


def _organization_values() -> dict[str, object]:
    return {
        "Name": "Example Partner", "InstanceName": "EU99", "OrganizationType": "Enterprise Edition",
        "DefaultCurrencyIsoCode": "USD", "IsSandbox": False, **dict.fromkeys(DEFAULT_ACCESS.values(), "Edit"),
    }  # fmt: skip


def _user_values(last: str, first: str) -> dict[str, object]:
    name = f"{first}.{last}".lower()
    return {
        "Username": f"{name}@partner.example", "LastName": last, "FirstName": first,
        "Email": f"{name}@partner.example", "Phone": "+1 425 555 0100", "UserType": "Standard",
    }  # fmt: skip
