"""Define the fields that show the solutions of a deal in the place that is not read: the text, or the related list.

They are no fields of the mapping file. They show what Partner Center holds, and an edit of them is put right or told.
"""

from collections.abc import Mapping
from copy import replace
from typing import Any, Self, override

from shared.domain.deal import SHOWN_SOLUTIONS, Side
from shared.domain.field_rules import Direction, Rule
from shared.domain.member_sets import Member
from shared.domain.org_shape import OrgShape
from shared.domain.records import Row
from shared.mapping.field_base import FieldBase
from shared.mapping.paths import Json, value_in_record
from shared.mapping.related_list import SolutionRows
from shared.mapping.set_field import SetField
from shared.mapping.solution_ids import split_ids
from shared.mapping.solution_rows import COLUMNS, NEEDED, RELATED_LIST, ids_in, rows_in, select_rows
from shared.mapping.solutions_field import CUT, SolutionsField

ONLY_SHOWN = "row_only_shown"
"""The code of a row that a seller adds where the text is read."""
LABEL = "Deal Solutions"
"""The title of the related list."""


class ShownSolutionsField(FieldBase):
    """The ids of the solutions in the text field, cut so that they fit; `source` is the field that is read."""

    shows: str
    solutions: SolutionsField

    @override
    def to_rule(self, name: str) -> Rule:
        both, source = frozenset(Side), f"{self.solutions.salesforce} {self.solutions.length}"
        rule = Rule(name, self.label, self.direction, winner=Side.PARTNER_CENTER, clearable=both, source=source)
        return replace(rule, shows=self.shows, shown=self.solutions.shown_text)

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.solutions.salesforce,)

    @override
    def read_record(self, record: Json) -> str | None:
        """Return the text, whatever separates its ids, and in whatever order they stand."""
        parts = split_ids(str(value_in_record(record, self.solutions.salesforce) or ""))
        return ";".join(sorted(parts, key=lambda part: (part == CUT, part.casefold()))) or None

    @override
    def read_referral(self, referral: Json) -> str | None:
        return self.solutions.shown_text(self.solutions.read_referral(referral))

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {self.solutions.salesforce: value}


class ShownRowsField(SolutionRows, SetField):
    """The ids of the solutions as rows of the related list; the text is read."""

    shows: str
    solutions: SolutionsField

    @property
    @override
    def related_list(self) -> str | None:
        return RELATED_LIST

    @override
    def to_rule(self, name: str) -> Rule:
        rule = Rule(name, self.label, self.direction, winner=Side.PARTNER_CENTER, clearable=frozenset(Side))
        rule = replace(rule, source=RELATED_LIST, is_set=True, in_rows=True)
        return replace(rule, shows=self.shows, shown=lambda value: value or None)

    @override
    def select_items(self) -> tuple[str, ...]:
        return (select_rows(self._hidden),)

    @override
    def columns(self) -> tuple[str, ...]:
        return COLUMNS

    @override
    def needed_columns(self) -> tuple[str, ...]:
        return NEEDED

    @override
    def limited_to(self, hidden: frozenset[str], read_only: frozenset[str]) -> Self:
        """Return a copy without the hidden columns; what the catalogue says of a solution is only read."""
        return super().limited_to(hidden, read_only - frozenset(COLUMNS))

    @override
    def read_rows(self, record: Json) -> tuple[Row, ...]:
        return rows_in(record)

    @override
    def read_unsendable(self, record: Json) -> Mapping[str, str]:
        return {row.key: ONLY_SHOWN for row in rows_in(record) if row.key}

    @override
    def read_record(self, record: Json) -> tuple[str, ...] | None:
        return ids_in(record) or None

    @override
    def read_referral(self, referral: Json) -> tuple[str, ...] | None:
        return self.solutions.read_referral(referral)

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {}

    @override
    def described(self, member: Member) -> Json:
        return self.solutions.described(member)

    @override
    def key_of_tag(self, tag: Json) -> str:
        return self.solutions.key_of_tag(tag)


def shown_solutions(fields: Mapping[str, FieldBase], org: OrgShape | None) -> dict[str, FieldBase]:
    """Return the field that shows the solutions, by its name; none where the org lacks the place for it."""
    for name, field in fields.items() if org is not None else ():
        if isinstance(field, SolutionsField) and org is not None and field.direction is not Direction.OFF:
            values: dict[str, Any] = {"direction": Direction.TO_SALESFORCE, "when": ("create", "update")}
            values |= {"shows": name, "solutions": field}
            column = org.column(field.salesforce)
            if field.related_list and column is not None and column.updateable:
                return {SHOWN_SOLUTIONS: ShownSolutionsField.model_construct(label=field.label, **values)}
            if field.show_rows and not field.related_list and org.has(*NEEDED):
                shown = ShownRowsField.model_construct(label=LABEL, referral=field.referral, **values)
                return {SHOWN_SOLUTIONS: shown}
    return {}
