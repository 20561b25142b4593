"""Checks and normal forms of single values; each raises ServiceError (400) on what the service would not take."""

import re
from collections.abc import Callable
from typing import Any

from emulators.partner_center import timestamps
from emulators.partner_center.referral_shape import Json, complete_collection, complete_element
from emulators.partner_center.service_errors import invalid_request

MOST_MEMBERS = MOST_SOLUTIONS = 50  # quirk 15
SUBSTATUS = {"New": ("Pending", "Received"), "Active": ("Accepted",),
             "Closed": ("Won", "Lost", "Declined", "Expired", "Error")}  # fmt: skip
QUALIFICATIONS = ("None", "Direct", "MarketingQualified", "SalesQualified")
TYPES = ("Independent", "Shared")
HELP_CODES = ("WorkloadSpecificValueProposition", "CustomerTechnicalArchitecture", "ProofOfConceptOrDemo",
              "QuotesOrLicensing", "PostSalesCustomerSuccess", "GeneralOrOther")  # fmt: skip
NO_HELP = "Unknown"
SALES_STAGES = ("10", "20", "40", "60", "80", "100", "Qualify", "Develop", "Propose", "Close")  # 3.7: both readings
CONTACT = ("firstName", "lastName", "phoneNumber", "email")

type Check = Callable[[str, object], Any]


def check_text(path: str, value: object) -> str | None:
    """A string or null."""
    if value is not None and not isinstance(value, str):
        raise invalid_request(f"'{path}' must be a string.", target=path)
    return value


def one_of(*allowed: str | None) -> Check:
    """One of the given strings."""

    def check(path: str, value: object) -> object:
        if value not in allowed:
            raise invalid_request(f"'{path}' has a value that is not allowed.", target=path)
        return value

    return check


def check_amount(path: str, value: object) -> int | float:
    """A number, also as a string (5.3), not negative."""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise invalid_request(f"'{path}' must be a number that is not negative.", target=path)
    return int(value) if value == int(value) else value


def check_currency(path: str, value: object) -> str:
    """Three letters."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{3}", value):
        raise invalid_request(f"'{path}' must be an ISO 4217 code.", target=path)
    return value.upper()


def check_time(path: str, value: object) -> str:
    """A time, as the service prints it."""
    try:
        return timestamps.format_ticks(timestamps.parse_ticks(value if isinstance(value, str) else ""))
    except ValueError:
        raise invalid_request(f"'{path}' must be an ISO 8601 time.", target=path) from None


def check_true(path: str, value: object) -> bool:
    """Nothing but true: visibility cannot be taken back (3.4)."""
    if value is not True:
        raise invalid_request(f"'{path}' can only be set to true.", target=path)
    return True


def check_members(path: str, value: object) -> list[Json]:
    """A list of people."""
    found = complete_collection(path, value)
    if len(found) > MOST_MEMBERS:
        raise invalid_request(f"'{path}' has more than {MOST_MEMBERS} members.", target=path)
    return found


def check_team(path: str, value: object) -> list[Json]:
    """A list of people with at least one."""
    found = check_members(path, value)
    if not found:
        raise invalid_request(f"'{path}' needs at least one member.", target=path)
    return found


def check_solutions(path: str, value: object) -> list[Json]:
    """One to fifty solutions, each with an id."""
    found = complete_collection(path, value)
    if not found or len(found) > MOST_SOLUTIONS or not all(item["id"] for item in found):
        raise invalid_request(f"'{path}' needs 1 to {MOST_SOLUTIONS} solutions, each with an id.", target=path)
    return found


def check_item(path: str, value: object) -> Json:
    """One member or solution to append."""
    return complete_element(path, value)


def check_contacts(path: str, people: list[Json], *, complete: bool) -> None:
    """Every person has an e-mail address; with `complete` also both names and a phone number (5.1)."""
    needed = CONTACT if complete else ("email",)
    for person in people:
        missing = [name for name in needed if not isinstance(person[name], str) or not person[name].strip()]
        if missing:
            raise invalid_request(f"A member of '{path}' lacks {', '.join(missing)}.", target=path)
