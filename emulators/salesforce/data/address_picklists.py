"""State and country picklists: addresses take the names and codes of a list only, and a state belongs to its country.

The rules: docs/reference/salesforce.md#state-and-country-picklists. `countries.json` has the ISO 3166 names, and the
states of the nine countries for which a new org has states.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org_switch import OrgSwitch, Save
from emulators.salesforce.data.schema import Field, Kind, Record, SObject
from emulators.salesforce.data.tables import Tables

PREFIXES = ("Billing", "Shipping", "Mailing", "Other", "")
_BAD_COUNTRY = (
    "There's a problem with this country, even though it may appear correct. Please select a country/territory from "
    "the list of valid countries.: {label}"
)
_BAD_STATE = (
    "There's a problem with this state, even though it may appear correct. Please select a state from the list of "
    "valid states.: {label}"
)
_STATE_ALONE = "A country/territory must be specified before specifying a state value for field: {label}"
_STATE_ELSEWHERE = "The existing country/territory doesn't recognize the state value for field: {label}"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one address: the name and the code of its country, and of its state."""

    country: Field
    country_code: Field
    state: Field
    state_code: Field

    @property
    def names(self) -> set[str]:
        """The names of the four columns."""
        return {each.name for each in (self.country, self.country_code, self.state, self.state_code)}


@dataclass(frozen=True, slots=True)
class AddressPicklists(OrgSwitch):
    """The integration values by code: of the countries, and of the states by their country's code."""

    countries: Mapping[str, str]
    states: Mapping[str, Mapping[str, str]]

    def complete(self, save: Save) -> None:
        """Set the code of a name and the name of a code. Raises ApiError for what the lists do not have."""
        for columns in _addresses(save.definition):
            if columns.names & save.written:
                self._complete_country(save, columns)
                self._complete_state(save, columns)

    def _complete_country(self, save: Save, columns: Columns) -> None:
        pair = _resolve(save, columns.country, columns.country_code, self.countries)
        if pair is None:
            raise _refusal(_BAD_COUNTRY, _written_one(save, columns.country, columns.country_code))
        save.new.update({columns.country.name: pair[1], columns.country_code.name: pair[0]})

    def _complete_state(self, save: Save, columns: Columns) -> None:
        new, country = save.new, save.new[columns.country_code.name]
        column = _written_one(save, columns.state, columns.state_code)
        if country is None and (new[columns.state.name] or new[columns.state_code.name]):
            raise _refusal(_STATE_ALONE, column)
        pair = _resolve(save, columns.state, columns.state_code, self.states.get(country or "", {}))
        if pair is None:
            is_written = bool(save.written & {columns.state.name, columns.state_code.name})
            raise _refusal(_BAD_STATE if is_written else _STATE_ELSEWHERE, column)
        new.update({columns.state.name: pair[1], columns.state_code.name: pair[0]})

    def switch_on(self, tables: Tables) -> None:
        """Add the code columns to every address, and fill them where a stored name is in the list."""
        for sobject in tables.model:
            for prefix in PREFIXES:
                if sobject.find_field(f"{prefix}Country") and sobject.find_field(f"{prefix}State"):
                    for column in self._code_columns(prefix):
                        tables.put_field(sobject.name, column)
            if addresses := list(_addresses(sobject)):
                for record in list(tables.stored_records(sobject.name)):
                    tables.put(sobject.name, record["Id"], self._with_codes(record, addresses))
        tables.clear_undo_log()

    def _with_codes(self, record: Record, addresses: Sequence[Columns]) -> Record:
        codes: Record = {}
        for each in addresses:
            country = _code_of(record[each.country.name], self.countries)
            state = _code_of(record[each.state.name], self.states.get(country or "", {}))
            codes |= {each.country_code.name: country, each.state_code.name: state}
        return record | codes

    def _code_columns(self, prefix: str) -> tuple[Field, Field]:
        label = f"{prefix} ".lstrip()
        countries = Field(
            f"{prefix}CountryCode", Kind.PICKLIST, f"{label}Country Code", 10,
            values=tuple(self.countries.items()), restricted=True, is_address_code=True,
        )  # fmt: skip
        pairs = [(country, pair) for country, states in self.states.items() for pair in states.items()]
        places = list(self.countries)
        states = Field(
            f"{prefix}StateCode", Kind.PICKLIST, f"{label}State/Province Code", 10,
            values=tuple(pair for _, pair in pairs), restricted=True, is_address_code=True,
            controller=countries.name, valid_for=tuple(_bitmap(places.index(country)) for country, _ in pairs),
        )  # fmt: skip
        return countries, states


@cache
def _standard_lists() -> Any:  # noqa: ANN401 - JSON
    return json.loads(Path(__file__).with_name("countries.json").read_text(encoding="utf-8"))


def standard_picklists(names: Mapping[str, str]) -> AddressPicklists:
    """The picklists of a new org. `names` sets other integration values for countries, by code."""
    lists = _standard_lists()
    return AddressPicklists({**lists["countries"], **names}, lists["states"])


def _addresses(sobject: SObject) -> Iterator[Columns]:
    for prefix in PREFIXES:
        names = (f"{prefix}{part}" for part in ("Country", "CountryCode", "State", "StateCode"))
        country, country_code, state, state_code = (sobject.find_field(name) for name in names)
        if country and country_code and state and state_code:
            yield Columns(country, country_code, _with_label(state), state_code)


def _with_label(state: Field) -> Field:
    return replace(state, label=state.label.replace("State", "State/Province"))


def _resolve(
    save: Save, name: Field, code: Field, values: Mapping[str, str]
) -> tuple[str, str] | tuple[None, None] | None:
    """The code and the name that a save means; (None, None) if it clears them, None if the list has them not.

    A column that the save does not write follows the one that it writes.
    """
    columns = [each for each in (name, code) if each.name in save.written] or [name, code]
    texts = [(each, save.new[each.name]) for each in columns if save.new[each.name] is not None]
    if not texts:
        return None, None
    found = {_canonical_code(text, values) if each is code else _code_of(text, values) for each, text in texts}
    result = found.pop()
    return (result, values[result]) if not found and result is not None else None


def _code_of(name: str | None, values: Mapping[str, str]) -> str | None:
    folded = (name or "").casefold()
    return next((code for code, each in values.items() if each.casefold() == folded), None)


def _canonical_code(code: str | None, values: Mapping[str, str]) -> str | None:
    upper = (code or "").upper()
    return upper if upper in values else None


def _written_one(save: Save, name: Field, code: Field) -> Field:
    return code if code.name in save.written and name.name not in save.written else name


def _refusal(message: str, column: Field) -> ApiError:
    return ApiError(400, "FIELD_INTEGRITY_EXCEPTION", message.format(label=column.label), [column.name])


def _bitmap(place: int) -> str:
    """The base64 text in which only the bit of this place is set, as `validFor` needs it."""
    data = bytearray(place // 8 + 1)
    data[place // 8] = 0x80 >> place % 8
    return base64.b64encode(data).decode()
