"""Check single values of a create or a patch, and return them as the service stores them.

Each check raises ServiceError (400) for a value that the service would refuse.
"""

import re
from collections.abc import Callable
from typing import Any

from emulators.partner_center import timestamps
from emulators.partner_center.iso_codes import COUNTRIES, CURRENCIES
from emulators.partner_center.referral_shape import Json, complete_collection, complete_element
from emulators.partner_center.service_errors import invalid_request

MOST_MEMBERS = MOST_SOLUTIONS = 50  # docs/reference/partner-center.md#limits-of-one-deal
SUBSTATUS = {"New": ("Pending", "Received"), "Active": ("Accepted",),
             "Closed": ("Won", "Lost", "Declined", "Expired", "Error")}  # fmt: skip
QUALIFICATIONS = ("None", "Direct", "MarketingQualified", "SalesQualified")
TYPES = ("Independent", "Shared")
SOLUTION_TYPES = ("None", "Category", "Name")
HELP_CODES = ("WorkloadSpecificValueProposition", "CustomerTechnicalArchitecture", "ProofOfConceptOrDemo",
              "QuotesOrLicensing", "PostSalesCustomerSuccess", "GeneralOrOther")  # fmt: skip
NO_HELP = "Unknown"
# Both readings of docs/reference/partner-center.md#sales-stage.
SALES_STAGES = ("10", "20", "40", "60", "80", "100", "Qualify", "Develop", "Propose", "Close")
# docs/reference/partner-center.md#customer-size; null and "" both occur.
SIZES = (None, "", "1to9employees", "10to50employees", "51to250employees", "251to1000employees",
         "1001to5000employees", "5001to10000employees", "10001to20000employees", "Morethan20000employees",
         "1to50employees", "51to500employees", "Morethan500employees")  # fmt: skip
# One @, no blank, and a domain of at least two labels. No source describes the service's own check.
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
CONTACT = ("firstName", "lastName", "phoneNumber", "email")

type Check = Callable[[str, object], Any]


def check_text(path: str, value: object) -> str | None:
    """Return a string or null."""
    if value is not None and not isinstance(value, str):
        raise invalid_request(f"'{path}' must be a string.", target=path)
    return value


def one_of(*allowed: str | None) -> Check:
    """Return a check that accepts only the values in `allowed`."""

    def check(path: str, value: object) -> object:
        if value not in allowed:
            raise invalid_request(f"'{path}' has a value that is not allowed.", target=path)
        return value

    return check


def check_amount(path: str, value: object) -> int | float:
    """Return a number above 0; text is accepted (docs/reference/partner-center.md#deal-details)."""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise invalid_request(f"'{path}' must be a number above 0.", target=path)
    return int(value) if value == int(value) else value


def check_currency(path: str, value: object) -> str:
    """Return a currency code of ISO 4217, in upper case."""
    if not isinstance(value, str) or value.upper() not in CURRENCIES:
        raise invalid_request(f"'{path}' must be an ISO 4217 code.", target=path)
    return value.upper()


def check_country(path: str, value: object) -> str:
    """Return a country code of ISO 3166-1 alpha-2 (docs/reference/partner-center.md#customer-profile)."""
    if not isinstance(value, str) or value.upper() not in COUNTRIES:
        raise invalid_request(f"'{path}' must be a two-letter ISO 3166-1 code.", target=path)
    return value


def check_time(path: str, value: object) -> str:
    """Return a time as the service prints it."""
    try:
        return timestamps.format_ticks(timestamps.parse_ticks(value if isinstance(value, str) else ""))
    except ValueError:
        raise invalid_request(f"'{path}' must be an ISO 8601 time.", target=path) from None


def check_true(path: str, value: object) -> bool:
    """Accept true only, because visibility cannot be taken back (docs/reference/partner-center.md#consent)."""
    if value is not True:
        raise invalid_request(f"'{path}' can only be set to true.", target=path)
    return True


def check_members(path: str, value: object) -> list[Json]:
    """Return a list of people."""
    people = complete_collection(path, value)
    if len(people) > MOST_MEMBERS:
        raise invalid_request(f"'{path}' has more than {MOST_MEMBERS} members.", target=path)
    return people


def check_team(path: str, value: object) -> list[Json]:
    """Return a list of people with at least one member."""
    people = check_members(path, value)
    if not people:
        raise invalid_request(f"'{path}' needs at least one member.", target=path)
    return people


def check_solutions(path: str, value: object) -> list[Json]:
    """Return a list of 1 to 50 solutions, each with an id and a documented type."""
    solutions = complete_collection(path, value)
    if not solutions or len(solutions) > MOST_SOLUTIONS or not all(item["id"] for item in solutions):
        raise invalid_request(f"'{path}' needs 1 to {MOST_SOLUTIONS} solutions, each with an id.", target=path)
    for item in solutions:
        one_of(*SOLUTION_TYPES)(f"{path}/type", item["type"])
    return solutions


def check_attributes(path: str, value: object) -> list[Json]:
    """Return a list of attributes, each with a type and an id (docs/reference/partner-center.md#attributes)."""
    attributes = complete_collection(path, value)
    if not all(item[name] and isinstance(item[name], str) for item in attributes for name in ("id", "type")):
        raise invalid_request(f"'{path}' needs a type and an id in each item.", target=path)
    return attributes


def check_item(path: str, value: object) -> Json:
    """Return one member or solution that a patch appends."""
    return complete_element(path, value)


def check_contacts(path: str, people: list[Json], *, complete: bool) -> None:
    """Check that every person has a valid e-mail address, and with `complete` also both names and a phone number.

    Source: docs/reference/partner-center.md#team-members
    """
    needed = CONTACT if complete else ("email",)
    for person in people:
        missing = [name for name in needed if not isinstance(person[name], str) or not person[name].strip()]
        if missing:
            raise invalid_request(f"A member of '{path}' lacks {', '.join(missing)}.", target=path)
        if not _EMAIL.fullmatch(person["email"]):
            raise invalid_request(f"The email of a member of '{path}' is not valid.", target=path)
