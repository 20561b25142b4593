"""Which of our locations a new referral belongs to (`mpnId`): `[location]` of the mapping file, or else a setting.

Partner Center never changes the location of a deal (docs/reference/partner-center.md#fields-that-lock), so a wrong one
holds the deal before it is created.
"""

from collections.abc import Mapping
from copy import replace
from typing import Annotated, Any, ClassVar, Literal, override

from pydantic import Field

from shared.domain.country_names import country_code
from shared.domain.field_rules import Rule
from shared.domain.listed_texts import listed
from shared.domain.sentences import cause
from shared.mapping.field_base import FieldBase, MappingTable, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, value_in_record

LOCATION, LOCATION_LABEL, PATH = "partner_location", "Partner Location", "/mpnId"
LocationId = Annotated[
    str, Field(min_length=1, max_length=40, description='the PartnerID of a location, such as "1234567"')
]


class LocationTable(MappingTable):
    """The table `[location]`: the first of column, country of the owner, default and setting that names one counts."""

    allowed: tuple[LocationId, ...] = Field(min_length=1)
    column: SalesforcePath | None = None
    countries: Mapping[str, LocationId] = Field(
        {}, description='a table of locations by country codes of ISO 3166-1, such as { DE = "1234567" }'
    )
    owner_country: SalesforcePath = "Owner.Country"
    default: LocationId | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns that are read."""
        country = (self.owner_country,) if self.countries else ()
        return (self.column, *country) if self.column else country


class LocationField(FieldBase):
    """The location of a deal. No key of the file: the table `[location]` makes it.

    Before the deal has its referral, this is the location that the referral gets. Afterwards it is what the column
    says; an empty column says nothing. `identifier` is the column that tells the two apart.
    """

    is_absent_where_empty: ClassVar[bool] = True
    when: tuple[Literal["create"], ...] = ("create",)
    table: LocationTable
    setting: str
    identifier: SalesforcePath

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), is_fixed=True)

    @override
    def columns(self) -> tuple[str, ...]:
        return self.table.paths

    @override
    def needed_columns(self) -> tuple[str, ...]:
        return ()

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.identifier, *(path for path in self.table.paths if path not in self._hidden))

    @override
    def written_columns(self) -> tuple[str, ...]:
        """Return the column, unless it belongs to another record."""
        column = self.table.column
        return (column,) if column and "." not in column else ()

    # --- read

    @override
    def read_record(self, record: Json) -> str | None:
        chosen = _location_in(record, self.table.column)
        if record.get(self.identifier):
            return chosen
        if hidden := ", ".join(path for path in self.table.paths if path in self._hidden):
            raise UnreadableValue(cause("hidden_location", hidden, label=self.label, columns=hidden))
        known, table = listed(self.table.allowed), self.table
        if chosen is not None and chosen not in table.allowed:
            raise UnreadableValue(cause("unlisted_location", table.column, label=self.label, value=chosen, known=known))
        location = chosen or self._of_owner(record) or table.default or self.setting
        if location not in table.allowed:
            raise UnreadableValue(cause("unlisted_setting", LOCATION, label=self.label, value=location, known=known))
        return location

    def _of_owner(self, record: Json) -> str | None:
        text = normal_text(value_in_record(record, self.table.owner_country)) if self.table.countries else None
        code = country_code(text) if text else None
        return next((each for key, each in self.table.countries.items() if code and key.upper() == code), None)

    @override
    def read_referral(self, referral: Json) -> str | None:
        return normal_text(in_referral(referral, PATH))

    # --- write

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {column: value for column in self.written_columns() if self.is_writable(column)}

    @override
    def patch_operations(self, value: Any, old: Any) -> list[Json]:
        return []

    @override
    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:
        if value is not None:
            body[PATH.strip("/")] = value


def _location_in(record: Json, column: str | None) -> str | None:
    """Return the location in a column, which may be a number."""
    value = value_in_record(record, column) if column else None
    return normal_text(int(value) if isinstance(value, float) and value.is_integer() else value)
