"""Define the field type for the customer. Its account is shared, so it is written on create only."""

from collections.abc import Callable, Mapping
from copy import replace
from typing import Annotated, Any, Literal, override

from pydantic import AfterValidator, Field

from shared.domain.cause import Cause
from shared.domain.country_names import country_code
from shared.domain.customer_match import duns_number
from shared.domain.deal import MAX_SHOWN, Company
from shared.domain.iso_codes import COUNTRIES
from shared.domain.sentences import cause
from shared.mapping.field_base import CreateOnlyField, MappingTable, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, set_value, value_in_record

MAX_LENGTHS = {"name": 255, "street": 255, "city": 40, "state": 80, "postal_code": 20}
"""The characters that fields of Account hold. A longer value is cut, so that it does not stop the deal."""


class CompanyPaths(MappingTable):
    """The path of each part of the customer. `region` is read where `state` is empty, and never written.

    `ids` holds the D-U-N-S number, which is only read. Both have a default, so that a mapping file without them keeps
    its meaning.
    """

    name: ReferralPath
    country: ReferralPath
    street: ReferralPath
    city: ReferralPath
    state: ReferralPath
    postal_code: ReferralPath
    region: ReferralPath = "/customerProfile/address/region"
    ids: ReferralPath = "/customerProfile/ids"


def _known_country(code: str) -> str:
    if code not in COUNTRIES:
        raise ValueError
    return code


CountryCode = Annotated[
    str,
    AfterValidator(_known_country),
    Field(description="a country code of ISO 3166-1 alpha-2, such as DE", examples=sorted(COUNTRIES)),
]


class CompanyColumns(MappingTable):
    """The column of each part of the account, as a path from the opportunity.

    `duns` and `website` only help to find the account. An org need not have them.
    """

    name: SalesforcePath
    country: SalesforcePath
    street: SalesforcePath
    city: SalesforcePath
    state: SalesforcePath
    postal_code: SalesforcePath
    duns: SalesforcePath = "Account.DunsNumber"
    website: SalesforcePath = "Account.Website"


PERSON_PATHS = ("Account.IsPersonAccount", "Account.PersonContactId", "Account.PersonEmail")
"""Columns that only orgs with person accounts have."""
ADDRESS_PARTS = ("street", "city", "state", "postal_code")


class CompanyField(CreateOnlyField):
    """The customer: name and address. The country is a code of ISO 3166-1 alpha-2.

    Accounts and referrals may have a name of a country, or none. `default_country` is what a new account gets where the
    referral names none. `demanded` are the parts of the address without which no referral is created.
    """

    type: Literal["company"]
    referral: CompanyPaths
    salesforce: CompanyColumns
    default_country: CountryCode | None = None
    demanded: tuple[Literal["street", "city"], ...] = ("street", "city")
    several: Literal["best", "hold"] = "best"

    @override
    def select_items(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns() if column not in self._hidden)

    @override
    def columns(self) -> tuple[str, ...]:
        return tuple(getattr(self.salesforce, part) for part in ("name", "country", *ADDRESS_PARTS))

    @override
    def needed_columns(self) -> tuple[str, ...]:
        return (self.salesforce.name,)

    @override
    def helpful_columns(self) -> tuple[str, ...]:
        return self.salesforce.duns, self.salesforce.website, *PERSON_PATHS

    def duns_in(self, referral: Json) -> str | None:
        """Return the customer's D-U-N-S number; None if the referral has none, or several."""
        ids = in_referral(referral, self.referral.ids)
        entries = (entry for entry in (ids if isinstance(ids, list) else ()) if isinstance(entry, Mapping))
        numbers = (duns_number(entry["id"]) for entry in entries if _is_duns(entry))
        found = set(filter(None, numbers))
        return found.pop() if len(found) == 1 else None

    @override
    def read_record(self, record: Json) -> Company | None:
        company = _company_from(self.salesforce, lambda column: value_in_record(record, column))
        if company is None:
            return None
        self.check_seen(self.salesforce.country, *(getattr(self.salesforce, part) for part in self.demanded))
        country = _checked_country(company.country, self.salesforce.country)
        missing = [f"Billing {part.capitalize()}" for part in self.demanded if not getattr(company, part)]
        if missing:
            raise UnreadableValue(cause("missing_address", self.salesforce.street, value=" and ".join(missing)))
        return replace(company, country=country)

    @override
    def read_referral(self, referral: Json) -> Company | None:
        company = _company_from(self.referral, lambda path: in_referral(referral, path))
        if company is None:
            return None
        region = company.state or normal_text(in_referral(referral, self.referral.region), MAX_LENGTHS["state"])
        code = _code_in(company.country) or ""
        if code == company.country.upper() != "":
            return replace(company, country=code, state=region)
        problem = _country_problem(company.country, code, self.referral.country)
        raise UnreadableValue(problem, replace(company, country=code, state=region))

    @property
    def address_columns(self) -> tuple[str, str]:
        """The account's own columns of the country and the state."""
        return _own_name(self.salesforce.country), _own_name(self.salesforce.state)

    @property
    def country_columns(self) -> tuple[str, ...]:
        """The account's columns from which `country_of` reads; none if they are hidden."""
        column = self.salesforce.country
        return () if column in self._hidden else (_own_name(column),)

    def country_of(self, account: Json) -> str | None:
        """Return the code of an account's country; None if it has none, or one that is not known."""
        given = (normal_text(account.get(column)) for column in self.country_columns)
        return next(filter(None, map(_code_in, filter(None, given))), None)

    def account_values(self, value: Company) -> dict[str, Any]:
        """Return the values of a new Account by the account's own columns."""
        parts = {part: getattr(value, part) for part in ("name", "country", *ADDRESS_PARTS)}
        parts["country"] = value.country or self.default_country or ""
        columns = {getattr(self.salesforce, part): item for part, item in parts.items() if item}
        return {_own_name(name): item for name, item in columns.items() if self.is_writable(name)}

    @override
    def add_to_body(self, value: Company | None, body: dict[str, Any]) -> None:
        if value is None:
            return
        set_value(body, self.referral.name, value.name)
        set_value(body, self.referral.country, value.country)
        for part in ADDRESS_PARTS:
            item = getattr(value, part)
            if item:
                one_line = ", ".join(filter(None, map(str.strip, item.splitlines())))
                set_value(body, getattr(self.referral, part), one_line)


def _own_name(path: str) -> str:
    """Return the name of a column at the account itself."""
    return path.rpartition(".")[2]


def _is_duns(entry: Json) -> bool:
    return str(entry.get("profileType")).casefold() == "duns" and "id" in entry


def _company_from(places: CompanyColumns | CompanyPaths, value_at: Callable[[str], object]) -> Company | None:
    """Return the customer with the country as it is written, or None without a name.

    `value_at` reads the value at a path or column.
    """
    name = normal_text(value_at(places.name), MAX_LENGTHS["name"])
    if name is None:
        return None
    country = normal_text(value_at(places.country)) or ""
    parts = {part: normal_text(value_at(getattr(places, part)), MAX_LENGTHS[part]) for part in ADDRESS_PARTS}
    return Company(name, country, **parts)


def _country_problem(given: str, code: str, path: str) -> Cause:
    """Return why a country that is not given as a code is none, or what its name was read as."""
    if not given:
        return cause("no_country", path, default="empty")
    if not code:
        return cause("unknown_country", path, given=given[:MAX_SHOWN], default="empty")
    return cause("country_name", path, given=given, value=code)


def _checked_country(given: str, field: str) -> str:
    if not given:
        raise UnreadableValue(cause("missing_country", field))
    if (code := _code_in(given)) is None:
        raise UnreadableValue(cause("bad_country", field, value=given[:MAX_SHOWN]))
    return code


def _code_in(given: str) -> str | None:
    """Return the code of a country; most accounts and referrals hold a code, and need no look at the names."""
    code = given.upper()
    return code if code in COUNTRIES else country_code(given)
