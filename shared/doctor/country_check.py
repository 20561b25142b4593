"""Check how the org writes countries, and that a new account can have the country that the mapping file chooses.

Source: docs/mapping.md#countries-and-states.
"""

from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.iso_codes import COUNTRIES
from shared.domain.listed_texts import listed
from shared.domain.org_addresses import AddressLists


def check_countries(installation: Installation) -> Verdict:
    """Check that the org's list of countries, if it has one, holds the default of the mapping file."""
    addresses, field = installation.org_shape.addresses, installation.translation.customer
    if addresses.lists is None:
        has_names = addresses.spelling is not None and addresses.spelling.has_names
        return ok(f"accounts hold {'names' if has_names else 'codes'} of countries, and new ones get them too")
    if field.default_country and not field.holds(field.default_country):
        return failed(
            f"default_country is {field.default_country}, which the org's list of countries lacks",
            "Add it to the list in Setup, or change default_country in the mapping file.",
        )
    return ok(f"countries are picklists: new accounts get codes{_lacking(addresses.lists)}")


def _lacking(lists: AddressLists) -> str:
    lacking = sorted(COUNTRIES - lists.countries)
    if not lacking:
        return ""
    return f"; accounts in {listed(lacking)} arrive without a country, which the list lacks"
