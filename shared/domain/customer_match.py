"""Which account is the customer of a referral: the best of several, or the only one of those that a rule names.

Source: docs/protocol.md#the-customers-account.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from msgspec import Struct

from shared.domain.deal import Company, Person
from shared.domain.owner import User

_DUNS_DIGITS = 9
_LEGAL_FORMS = frozenset({
    "ab", "ag", "aps", "as", "asa", "bv", "bvba", "co", "company", "corp", "corporation", "ek", "eood", "eurl", "gbr",
    "gesmbh", "gmbh", "inc", "incorporated", "kft", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda",
    "mbh", "nv", "ohg", "oo", "oy", "oyj", "plc", "pte", "pty", "sa", "sarl", "sas", "se", "spa", "srl", "sro", "ug",
    "zrt",
})  # fmt: skip
"""Words that end the name of a company and only tell its legal form, without dots and slashes."""
_JOINED = re.compile(r"(?<=\w)[./'\u2019](?=\w)|\.")
"""What stands within an abbreviation, as in `A/S` and `G.m.b.H.`: its letters are one word."""
_ACCENTS = re.compile("[\u0300-\u036f]")
_MAIL_PROVIDERS = frozenset({
    "aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "msn.com",
    "outlook.com", "proton.me", "protonmail.com", "qq.com", "t-online.de", "web.de", "yahoo.co.jp", "yahoo.com",
})  # fmt: skip
"""Domains of e-mail addresses that say nothing about the company."""


class Trait(StrEnum):
    """What an account has in common with the customer of a referral, from the strongest to the weakest."""

    DUNS = "duns"
    DOMAIN = "domain"
    ADDRESS = "address"
    NAME = "name"


class Customer(Struct, frozen=True):
    """The customer of a referral: the company, its D-U-N-S number, and the domains of its people's e-mail addresses."""

    company: Company
    duns: str | None = None
    domains: frozenset[str] = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys by which two deals of this customer meet before its account is made.

        The first is that of builds up to 0.4.0.
        """
        company = self.company
        names = (company.name.casefold(), normal_name(company.name))
        by_number = (f"duns|{self.duns}",) if self.duns else ()
        return tuple(dict.fromkeys((*(f"{name}|{company.country}" for name in names), *by_number)))


class Candidate(Struct, frozen=True):
    """An account that may be the customer's. A part that is empty, or that the integration user may not see, is empty.

    `created` sorts by time. `contact` and `email` are those of a person account. `owner` may own the deal too.
    """

    id: str
    name: str
    created: str = ""
    country: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    duns: str | None = None
    domain: str | None = None
    is_person: bool = False
    contact: str | None = None
    email: str = ""
    owner: User | None = None


class ChosenAccount(Struct, frozen=True):
    """The best of several accounts: why it is the best (None: it is the oldest), and the ids of the others."""

    account: Candidate
    trait: Trait | None
    others: tuple[str, ...]


def customer_of(company: Company, duns: str | None, people: Iterable[Person]) -> Customer:
    """The customer of a referral that has this company, number and people."""
    domains = (person.email.rpartition("@")[2].casefold() for person in people if person.email)
    return Customer(company, duns, frozenset(filter(None, domains)) - _MAIL_PROVIDERS)


def best_of(customer: Customer, candidates: Sequence[Candidate]) -> ChosenAccount:
    """The best of the accounts: by number, web domain and address, else the oldest. Their order has no effect."""
    left = sorted(candidates, key=lambda candidate: (candidate.created, candidate.id))
    decisive: Trait | None = None
    for trait in (Trait.DUNS, Trait.DOMAIN, Trait.ADDRESS):
        matching = [candidate for candidate in left if _SHARED[trait](customer, candidate)]
        if matching and len(matching) < len(left):
            left, decisive = matching, trait
    others = tuple(sorted(candidate.id for candidate in candidates if candidate.id != left[0].id))
    return ChosenAccount(left[0], decisive if len(left) == 1 else None, others)


def only_match(customer: Customer, candidates: Sequence[Candidate]) -> Candidate | None:
    """The only account with the customer's number, or web domain, or name and country; None if several are left."""
    left, is_matched = list(candidates), False
    for trait in (Trait.DUNS, Trait.DOMAIN, Trait.NAME):
        matching = [candidate for candidate in left if _SHARED[trait](customer, candidate)]
        if matching:
            left, is_matched = matching, True
        if is_matched and len(left) == 1:
            return left[0]
    return None


def is_same_person(person: Person, account: Candidate) -> bool:
    """Whether a contact of the referral is the person of a person account: by e-mail address, or else by name."""
    if person.email and account.email and person.email.casefold() == account.email.casefold():
        return True
    return _plain(str(person)) == _plain(account.name)


def normal_name(name: str) -> str:
    """The name of a company without case, accents, punctuation and legal form; the name of one is never empty."""
    words = _plain(name).split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return " ".join(words) or name.casefold()


def duns_number(text: object) -> str | None:
    """The nine digits of a D-U-N-S number; None for anything else."""
    digits = re.sub(r"[\s-]", "", text) if isinstance(text, str) else ""
    is_number = len(digits) == _DUNS_DIGITS and digits.isascii() and digits.isdigit() and digits.strip("0")
    return digits if is_number else None


def web_domain(website: object) -> str | None:
    """The domain of a web address, without `www.`; None for a text that is none."""
    text = website.strip().casefold() if isinstance(website, str) else ""
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return None
    return host.removeprefix("www.") if "." in host else None


def _plain(text: str) -> str:
    """The words of a text, without case, accents and punctuation."""
    letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return " ".join(re.findall(r"\w+", _JOINED.sub("", unicodedata.normalize("NFC", letters))))


def has_number(customer: Customer, candidate: Candidate) -> bool:
    """Whether the account has the customer's D-U-N-S number."""
    return customer.duns is not None and customer.duns == candidate.duns


def _has_domain(customer: Customer, candidate: Candidate) -> bool:
    site = candidate.domain
    return site is not None and any(domain == site or domain.endswith(f".{site}") for domain in customer.domains)


def _has_address(customer: Customer, candidate: Candidate) -> bool:
    """Whether street and place are the same: the city, or the postal code."""
    company = customer.company
    street, city, code = (_plain(part or "") for part in (company.street, company.city, company.postal_code))
    if not street or street != _plain(candidate.street):
        return False
    return bool((city and city == _plain(candidate.city)) or (code and code == _plain(candidate.postal_code)))


def _has_name(customer: Customer, candidate: Candidate) -> bool:
    """Whether name and country are the same. Without a country the name alone decides, as in the look-up."""
    company = customer.company
    if normal_name(company.name) != normal_name(candidate.name):
        return False
    return not company.country or company.country == candidate.country


_SHARED: dict[Trait, Callable[[Customer, Candidate], bool]] = {
    Trait.DUNS: has_number,
    Trait.DOMAIN: _has_domain,
    Trait.ADDRESS: _has_address,
    Trait.NAME: _has_name,
}
