"""Define the owner rules of the mapping file, and which of them say something about one referral.

Source: docs/mapping.md#owners.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import Field

from shared.domain.deal import Company, Person
from shared.domain.org_addresses import AddressLists
from shared.domain.records import Referral
from shared.domain.state_names import state_code
from shared.mapping.field_base import MappingTable
from shared.mapping.people import people_in

UserName = Annotated[
    str, Field(min_length=1, max_length=128, description="a user of Salesforce, by user name or e-mail address")
]
By = Literal["country", "region", "account_owner", "microsoft_seller", "our_seller", "user"]
TAKES_USERS = ("country", "region", "microsoft_seller", "our_seller")
"""The rules that look something up in `users`; the last of them can do without."""
Notice = Literal["notification", "task", "none"]
NOTIFICATION_TYPE = "Cosell_New_Deal"
"""The notification type of the Salesforce package."""
NOTIFICATION_QUERY = f"SELECT Id FROM CustomNotificationType WHERE DeveloperName = '{NOTIFICATION_TYPE}'"  # noqa: S608 - a constant
MICROSOFT = "@microsoft.com"
LONGEST_CODE = 3
"""The characters of the longest code of a state, without its country."""
MOST_SELLERS = 10
"""People of a referral's team who are looked up, so that the query stays short."""


class OwnerRule(MappingTable):
    """One way to find the owner of a deal that arrives."""

    by: By
    users: Mapping[str, UserName] = Field({}, description='a table of users, such as { DE = "anna@example.com" }')
    user: UserName | None = None


class Wanted(Struct, frozen=True):
    """A user whom a rule names, in the words of the mapping file or of the referral. None: the account's owner.

    `state` is a text of the referral that may be one of the rule's states in other words: the rule names nobody then.
    """

    rule: str
    user: str | None
    state: str | None = None


def wanted_owners(
    rules: Sequence[OwnerRule], referral: Referral, lists: AddressLists | None = None
) -> tuple[Wanted, ...]:
    """Return the users whom the rules name for a referral, in their order. A rule that says nothing is left out.

    `lists` are the org's lists of states: with them, the name of a state is read as its code.
    """
    return tuple(wanted for rule in rules for wanted in _wanted(rule, referral, lists))


def _wanted(rule: OwnerRule, referral: Referral, lists: AddressLists | None) -> Iterator[Wanted]:
    company, users = referral.deal.get("account"), {key.casefold(): user for key, user in rule.users.items()}
    if rule.by == "account_owner":
        yield Wanted(rule.by, None)
    elif rule.by == "user" and rule.user:
        yield Wanted(rule.by, rule.user)
    elif rule.by in {"country", "region"} and isinstance(company, Company):
        keys = [company.country] if rule.by == "country" else _states(company, lists)
        found = next((key for key in keys if key.casefold() in users), None)
        yield from (Wanted(f"{rule.by} {key}", users[key.casefold()]) for key in [found] if key)
        if rule.by == "region" and not found and (state := _unread_state(company, lists, users)):
            yield Wanted(rule.by, None, state)
    elif rule.by in {"microsoft_seller", "our_seller"}:
        for address in _addresses(referral):
            is_ours = rule.by == "our_seller" and not address.casefold().endswith(MICROSOFT)
            found = users.get(address.casefold(), address if is_ours else None)
            yield from (Wanted(f"{rule.by} {address}", user) for user in [found] if user)


def _states(company: Company, lists: AddressLists | None) -> list[str]:
    """Return the keys under which the customer's state may stand: by its text, and by its code."""
    country, text = company.country, company.state or ""
    state = text[len(country) + 1 :] if text.upper().startswith(f"{country}-") else text
    codes = (lists.state_code(country, text), state_code(country, text)) if lists else (state_code(country, text),)
    return [f"{country}-{each}" for each in (state, *codes) if each]


def _unread_state(company: Company, lists: AddressLists | None, keys: Collection[str]) -> str | None:
    """Return the customer's state if it is no code that is known, and the rule names states of its country."""
    country, text = company.country, company.state or ""
    is_code = len(text.upper().removeprefix(f"{country}-")) <= LONGEST_CODE
    is_known = is_code or len(_states(company, lists)) > 1
    return None if is_known or not any(key.startswith(f"{country}-".casefold()) for key in keys) else text


def _addresses(referral: Referral) -> list[str]:
    """Return the e-mail addresses of the sellers in the referral's team, Microsoft's and our own."""
    team = people_in((referral.raw or {}).get("team")) or referral.deal.get("team")
    people = team if isinstance(team, tuple) else ()
    addresses = [person.email for person in people if isinstance(person, Person) and person.email]
    return [address for address in addresses if address.isascii()][:MOST_SELLERS]
