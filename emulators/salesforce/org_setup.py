"""An org on its first day: its settings, and two people who work in it."""

from dataclasses import dataclass

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.standard_objects import CURRENCIES, FORECASTS, STAGES


@dataclass(frozen=True, slots=True)
class Founding:
    """Ids of what every org has."""

    organization: str
    administrator: str
    seller: str


def found_org(org: Org, *, multi_currency: bool) -> Founding:
    """Fill an empty org with its organisation, users, stages and currencies."""
    organization = org.insert("Organization", _organization(), "")
    administrator = org.insert("User", _user("Admin", "Ada"), "")
    seller = org.insert("User", _user("Seller", "Sam"), administrator)
    for place, (label, probability, closed, won, forecast) in enumerate(STAGES, 1):
        stage = {"MasterLabel": label, "SortOrder": place, "DefaultProbability": probability, "IsClosed": closed}
        stage |= {"IsWon": won, "ForecastCategory": forecast, "ForecastCategoryName": FORECASTS[forecast]}
        org.insert("OpportunityStage", stage, administrator)
    for code, rate, places in CURRENCIES if multi_currency else ():
        values = {"IsoCode": code, "ConversionRate": rate, "DecimalPlaces": places, "IsCorporate": code == "USD"}
        org.insert("CurrencyType", values, administrator)
    org.forget_undo()
    return Founding(organization, administrator, seller)


def _organization() -> dict[str, object]:
    return {
        "Name": "Example Partner", "InstanceName": "EU99", "OrganizationType": "Enterprise Edition",
        "DefaultCurrencyIsoCode": "USD", "IsSandbox": False,
    }  # fmt: skip


def _user(last: str, first: str) -> dict[str, object]:
    name = f"{first}.{last}".lower()
    return {
        "Username": f"{name}@partner.example", "LastName": last, "FirstName": first,
        "Email": f"{name}@partner.example", "Phone": "+1 425 555 0100", "UserType": "Standard",
    }  # fmt: skip
