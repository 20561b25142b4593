"""Define the field type for the sales stage of a deal, as a percentage."""

from collections.abc import Mapping
from typing import Any, Literal, Self, override

from pydantic import PrivateAttr

from shared.domain.org_shape import OrgShape
from shared.domain.sentences import cause
from shared.mapping.field_base import SinglePathField, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, value_in_record

PERCENTAGES = ("10", "20", "40", "60", "80", "100")
_WORDS: Mapping[str, str] = {"qualify": "20", "develop": "40", "propose": "60", "close": "80"}
"""The other reading of the sales stage (docs/reference/partner-center.md#sales-stage)."""


class SalesStageField(SinglePathField):
    """The sales stage: in the referral a percentage as text, in Salesforce a picklist, a text or a number.

    Both systems may hold something else. It is left alone, because nobody knows what it means.
    """

    type: Literal["sales_stage"]
    _is_number: bool = PrivateAttr(default=False)

    def for_org(self, org: OrgShape) -> Self:
        """Return a copy of this field that writes a number where the org's column is one."""
        column = org.column(self.salesforce)
        field = self.model_copy()
        field._is_number = column is not None and column.is_number  # noqa: SLF001 - of its own class
        return field

    @override
    def read_record(self, record: Json) -> str | None:
        return self._percentage(value_in_record(record, self.salesforce), "bad_sales_stage", self.salesforce)

    @override
    def read_referral(self, referral: Json) -> str | None:
        return self._percentage(in_referral(referral, self.referral), "unknown_sales_stage", self.referral)

    def _percentage(self, value: object, code: str, path: str) -> str | None:
        text = normal_text(value)
        if text is None:
            return None
        number = text.removesuffix("%").rstrip().removesuffix(".0")
        known = number if number in PERCENTAGES else _WORDS.get(text.casefold())
        if known is None:
            raise UnreadableValue(cause(code, path, label=self.label, value=text, known=", ".join(PERCENTAGES)))
        return known

    @override
    def _to_salesforce(self, value: Any) -> str | int | None:
        return int(value) if value is not None and self._is_number else value
