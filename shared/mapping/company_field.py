"""Define the field type for the customer. Its account is shared, so it is written on create only."""

from collections.abc import Callable, Iterator, Mapping
from copy import replace
from typing import Annotated, Any, Literal, Self, override

from pydantic import AfterValidator, Field, PrivateAttr

from shared.domain.cause import Cause
from shared.domain.country_names import country_code
from shared.domain.customer_match import duns_number
from shared.domain.deal import MAX_SHOWN, Company
from shared.domain.iso_codes import COUNTRIES
from shared.domain.org_addresses import CountrySpelling, OrgAddresses
from shared.domain.org_shape import code_column
from shared.domain.sentences import cause
from shared.mapping.field_base import CreateOnlyField, MappingTable, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, own_name, set_value, value_in_record

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

    _org: OrgAddresses = PrivateAttr(default=OrgAddresses())
    _code_paths: tuple[str, ...] = PrivateAttr(default=())

    def for_org(self, org: OrgAddresses) -> Self:
        """Return a copy of this field for an org that writes addresses in this way."""
        field = self.model_copy()
        field._org = org  # noqa: SLF001 - of its own class
        if org.lists is not None:  # every record is read with these, so they are decided once
            both = code_column(self.salesforce.country), code_column(self.salesforce.state)
            field._code_paths = both  # noqa: SLF001 - as above
        return field

    @override
    def select_items(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*(path for path in self.columns() if path not in self._hidden), *self.code_paths)))

    @override
    def columns(self) -> tuple[str, ...]:
        return tuple(getattr(self.salesforce, part) for part in ("name", "country", *ADDRESS_PARTS))

    @override
    def optional_items(self) -> tuple[str, ...]:
        return self.code_paths

    @property
    def code_paths(self) -> tuple[str, ...]:
        """The paths of the codes of country and state. Only an org with picklists has them, and may turn them off."""
        return self._code_paths

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
        codes = [normal_text(value_in_record(record, path)) for path in self.code_paths]
        code, state_code = codes or (None, None)
        self.check_seen(*(() if code else (self.salesforce.country,)), *self._demanded_columns)
        country = self._checked_country(code, company.country)
        missing = [f"Billing {part.capitalize()}" for part in self.demanded if not getattr(company, part)]
        if missing:
            raise UnreadableValue(cause("missing_address", self.salesforce.street, value=" and ".join(missing)))
        return replace(company, country=country, state=state_code or company.state)

    @property
    def _demanded_columns(self) -> tuple[str, ...]:
        return tuple(getattr(self.salesforce, part) for part in self.demanded)

    def _checked_country(self, code: str | None, text: str) -> str:
        """Return the code of a country. An account that is older than the picklists has only a text."""
        field = self.salesforce.country
        for given in filter(None, (code, text)):
            if found := _code_in(given):
                return found
        if not (code or text):
            raise UnreadableValue(cause("missing_country", field))
        problem = "bad_country" if self._org.lists is None else "bad_listed_country"
        raise UnreadableValue(cause(problem, field, value=(text or code or "")[:MAX_SHOWN]))

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
        return own_name(self.salesforce.country), own_name(self.salesforce.state)

    @property
    def country_columns(self) -> tuple[str, ...]:
        """The account's columns from which `country_of` reads; none if they are hidden."""
        seen = (path for path in (*self.code_paths[:1], self.salesforce.country) if path not in self._hidden)
        return tuple(dict.fromkeys(map(own_name, seen)))

    def country_of(self, account: Json) -> str | None:
        """Return the code of an account's country; None if it has none, or one that is not known."""
        given = (normal_text(account.get(column)) for column in self.country_columns)
        return next(filter(None, map(_code_in, filter(None, given))), None)

    def account_values(self, value: Company) -> dict[str, Any]:
        """Return the values of a new Account by the account's own columns."""
        parts = {getattr(self.salesforce, part): getattr(value, part) for part in ("name", *ADDRESS_PARTS)}
        columns = {**parts, **self._place_values(value)}
        return {own_name(path): item for path, item in columns.items() if item and self.is_writable(path)}

    def _place_values(self, company: Company) -> dict[str, str | None]:
        """Return country and state as the org writes them; those that its lists do not have are left out."""
        country, lists = company.country or self.default_country, self._org.lists
        if lists is None:
            spelling = self._org.spelling or CountrySpelling()
            return {self.salesforce.country: spelling.text(country) if country else None}
        code = country if country in lists.countries else None
        state = lists.state_code(code, company.state) if code and company.state else None
        return {self.salesforce.country: None, self.salesforce.state: None} | dict(
            zip(self.code_paths, (code, state), strict=True)
        )

    def holds(self, country: str) -> bool:
        """Whether an account of this org can be in this country: its list may lack it."""
        return self._org.lists is None or country in self._org.lists.countries

    def dispensable_columns(self, refused: str | None) -> frozenset[str]:
        """Return which columns of a new account stay empty if Salesforce refuses this one; a country takes its state.

        Salesforce may name the column of the text where the code was written.
        """
        parts = {part: (getattr(self.salesforce, part),) for part in ADDRESS_PARTS}
        parts["state"] += self.code_paths[1:]
        parts["country"] = (self.salesforce.country, *self.code_paths[:1], *parts["state"])
        for columns in (frozenset(map(own_name, parts[part])) for part in (*ADDRESS_PARTS, "country")):
            if refused in columns:
                return columns
        return frozenset()

    def unlisted_parts(self, company: Company) -> Iterator[Cause]:
        """Yield why country or state of a new account stay empty: the org's lists do not have them."""
        country, lists = company.country or self.default_country, self._org.lists
        if lists is None:
            return
        if country and not self.holds(country):
            yield cause("unlisted_country", self.salesforce.country, given=country)
        if company.state and not (country and lists.state_code(country, company.state)):
            values = {"given": company.state, "country": country or "an unknown country"}
            yield cause("unlisted_state", self.salesforce.state, **values)

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


def _code_in(given: str) -> str | None:
    """Return the code of a country; most accounts and referrals hold a code, and need no look at the names."""
    code = given.upper()
    return code if code in COUNTRIES else country_code(given)
