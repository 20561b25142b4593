"""The rules for `[location]` that the schema cannot express (docs/mapping.md#location)."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.country_names import country_code
from shared.domain.iso_codes import COUNTRIES
from shared.mapping.violations import Place, Violation, did_you_mean, expectation, nearest, one_of, quote

type Table = Mapping[str, Any]


def location_violations(document: Table) -> Iterator[Violation]:
    """Yield what is wrong with the table of locations beyond the schema."""
    table = document.get("location")
    if not isinstance(table, Mapping):
        return
    yield from _unlisted(table)
    yield from _wrong_countries(table)
    yield from _used_columns(table, document)


def _unlisted(table: Table) -> Iterator[Violation]:
    """The default and each country name one of the allowed locations."""
    given = table.get("allowed")
    allowed = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    named: dict[Place, object] = {("location", "default"): table.get("default")}
    countries = table.get("countries")
    if isinstance(countries, Mapping):
        named |= {("location", "countries", code): one for code, one in countries.items()}
    for place, location in named.items():
        if allowed and isinstance(location, str) and location and location not in allowed:
            expected = f"{one_of(allowed)}, which allowed lists"
            yield Violation(place, expectation(expected, quote(location), nearest(location, allowed)))


def _wrong_countries(table: Table) -> Iterator[Violation]:
    countries = table.get("countries")
    for code in countries if isinstance(countries, Mapping) else ():
        if code.upper() not in COUNTRIES:
            text = f'expected a country code of ISO 3166-1 alpha-2, such as DE = "1234567"; found {quote(code)}.'
            yield Violation(("location", "countries", code), f"{text}{did_you_mean(country_code(code))}")
    if "owner_country" in table and not countries:
        problem = "this key says where the country of the owner is, and the table countries is missing."
        yield Violation(("location", "owner_country"), f"{problem} Add it, or remove this key.")


def _used_columns(table: Table, document: Table) -> Iterator[Violation]:
    """The column of the location belongs neither to the connector nor to a field that writes it."""
    column, place = table.get("column"), ("location", "column")
    if not isinstance(column, str):
        return
    ours = document.get("ours")
    for role, own in ours.items() if isinstance(ours, Mapping) else ():
        if isinstance(own, str) and own.casefold() == column.casefold():
            found = f"{column}, which ours.{role} names"
            yield Violation(place, expectation("a column that is not the connector's own", found))
    fields = document.get("fields")
    for name, field in fields.items() if isinstance(fields, Mapping) else ():
        mapped = field.get("salesforce") if isinstance(field, Mapping) else None
        if isinstance(mapped, str) and mapped.casefold() == column.casefold():
            found = f"{column}, which fields.{name} maps"
            yield Violation(place, f"{expectation('a column that no field maps', found)} Choose another column.")
