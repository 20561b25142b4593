"""The rules for `[[owners]]` that the schema cannot express (docs/mapping.md#owners)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from shared.domain.country_names import country_code
from shared.domain.iso_codes import COUNTRIES
from shared.mapping.owner_rules import TAKES_USERS, By
from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, did_you_mean, expectation, quote

type Table = Mapping[str, Any]

_EXAMPLES = {
    "country": 'a country code of ISO 3166-1 alpha-2, such as DE = "anna@example.com"',
    "region": 'a country code and a state, such as US-WA = "anna@example.com"',
    "microsoft_seller": 'an e-mail address of a seller of Microsoft, such as "sam@microsoft.com" = "anna@example.com"',
    "our_seller": 'an e-mail address of a seller of ours, such as "ann@example.com" = "anna@example.com"',
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def owner_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Yield what is wrong with the owner rules beyond the schema."""
    listed = document.get("owners")
    first: dict[tuple[str, str], Place] = {}
    for number, rule in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(rule, Mapping) or rule.get("by") not in get_args(By):
            continue
        place: Place = ("owners", number)
        yield from _key_violations(rule, place)
        for key, own in _looked_up(rule, place):
            before = first.setdefault((rule["by"], key.casefold()), own)
            if before != own:
                line = source.lines.line_of(before)
                found = f"{quote(key) if key else rule['by']} again, after line {line}"
                yield Violation(own, f"{expectation('each owner rule once', found)} Remove one of the two.")


def _key_violations(rule: Table, place: Place) -> Iterator[Violation]:
    by, users = rule["by"], rule.get("users")
    if by in TAKES_USERS and by != "our_seller" and not users:
        yield Violation(place, f"the key users is missing; by = {quote(by)} expects {_EXAMPLES[by]} in it.")
    if by == "user" and "user" not in rule:
        yield Violation(place, 'the key user is missing; by = "user" expects user = "anna@example.com".')
    if by != "user" and "user" in rule:
        yield Violation((*place, "user"), f'this key belongs to by = "user"; found by = {quote(by)}. Remove it.')
    if by not in TAKES_USERS and "users" in rule:
        yield Violation((*place, "users"), f"this key does not belong to by = {quote(by)}. Remove it.")
    elif by in TAKES_USERS and isinstance(users, Mapping):
        yield from (_wrong_key(by, key, (*place, "users", key)) for key in users if not _fits(by, key))


def _fits(by: str, key: str) -> bool:
    country, dash, state = key.partition("-")
    if by == "country":
        return key.upper() in COUNTRIES
    if by == "region":
        return country.upper() in COUNTRIES and bool(dash and state.strip())
    return bool(_ADDRESS.fullmatch(key))


def _wrong_key(by: str, key: str, place: Place) -> Violation:
    meant = country_code(key) if by == "country" else None
    return Violation(place, f"expected {_EXAMPLES[by]}; found {quote(key)}.{did_you_mean(meant)}")


def _looked_up(rule: Table, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield what a rule looks up, each with its place: two rules that look up the same are alike."""
    users = rule.get("users")
    if isinstance(users, Mapping) and users:
        yield from ((key, (*place, "users", key)) for key in users)
    else:
        yield str(rule.get("user") or ""), place
