"""The complete opportunity that the harness's seller creates."""

from collections.abc import Mapping

from emulators.salesforce.emulator import SalesforceEmulator

COMPLETE: Mapping[str, object] = {
    "Name": "ERP renewal",
    "StageName": "Qualification",
    "CloseDate": "2026-12-31",
    "Amount": 10000,
    "Products__c": "SOL-10001",
    "Description": "First call went well.",
    "Sync_with_Partner_Center__c": True,
}


def new_deal(salesforce: SalesforceEmulator, values: Mapping[str, object]) -> dict[str, object]:
    """A complete, ticked opportunity with these values. Unless named, it gets a name that no deal like it has."""
    has_currencies = salesforce.org.model.get("Opportunity").find_field("CurrencyIsoCode")
    record = {**COMPLETE, **({"CurrencyIsoCode": "USD"} if has_currencies else {}), **values}
    if "Name" not in values and (same := _count_of_same(salesforce, record)):  # else it would be held as a copy
        record["Name"] = f"{record['Name']} {same + 1}"
    return record


def _count_of_same(salesforce: SalesforceEmulator, record: Mapping[str, object]) -> int:
    """How many opportunities have the account and amount of a new one, and its name, numbered or not."""
    name, same = str(record["Name"]), ("AccountId", "Amount")
    others = [each for each in salesforce.records("Opportunity") if all(each[key] == record[key] for key in same)]
    return sum(str(each["Name"]).startswith(name) for each in others)
