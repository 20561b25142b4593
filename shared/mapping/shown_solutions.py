"""Define the field that shows the solutions of a deal in the text field, where the related list is read.

It is no field of the mapping file. It shows what Partner Center holds, and an edit of it is put right.
"""

from collections.abc import Mapping
from copy import replace
from typing import Any, override

from shared.domain.deal import SHOWN_SOLUTIONS, Side
from shared.domain.field_rules import Direction, Rule
from shared.domain.org_shape import OrgShape
from shared.mapping.field_base import FieldBase
from shared.mapping.paths import Json, value_in_record
from shared.mapping.solution_ids import split_ids
from shared.mapping.solutions_field import SolutionsField


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
        """Return the text, whatever separates its ids."""
        return ";".join(split_ids(str(value_in_record(record, self.solutions.salesforce) or ""))) or None

    @override
    def read_referral(self, referral: Json) -> str | None:
        return self.solutions.shown_text(self.solutions.read_referral(referral))

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {self.solutions.salesforce: value}


def shown_solutions(fields: Mapping[str, FieldBase], org: OrgShape | None) -> dict[str, FieldBase]:
    """Return the field that shows the solutions, by its name; none where the text is read, or cannot be written."""
    read = ((name, field) for name, field in fields.items() if isinstance(field, SolutionsField) and field.related_list)
    for name, field in read if org is not None else ():
        column = org.column(field.salesforce) if org is not None else None
        if field.direction is not Direction.OFF and column is not None and column.updateable:
            shown = ShownSolutionsField.model_construct(
                label=field.label,
                direction=Direction.TO_SALESFORCE,
                when=("create", "update"),
                shows=name,
                solutions=field,
            )
            return {SHOWN_SOLUTIONS: shown}
    return {}
