"""Define the field type for the size of the customer."""

from collections.abc import Mapping
from typing import ClassVar, Literal, override

from shared.domain.field_rules import Direction
from shared.mapping.field_base import SinglePathField
from shared.mapping.paths import Json, in_referral, normal_text, value_in_record

_SIZES: Mapping[int, str] = {
    9: "1to9employees",
    50: "10to50employees",
    250: "51to250employees",
    1_000: "251to1000employees",
    5_000: "1001to5000employees",
    10_000: "5001to10000employees",
    20_000: "10001to20000employees",
}
"""The sizes of customers by their largest number of employees (docs/reference/partner-center.md#customer-size)."""
_LARGEST = "Morethan20000employees"


class SizeField(SinglePathField):
    """The size of the customer: in Salesforce a number of employees, in the referral one of the service's ranges.

    It travels to Partner Center on create only, because a range is no number of employees. An org with the package of
    an earlier release does not show the number to the integration user.
    """

    is_absent_where_empty: ClassVar[bool] = True
    type: Literal["size"]
    direction: Literal[Direction.TO_PARTNER_CENTER, Direction.OFF] = Direction.TO_PARTNER_CENTER
    when: tuple[Literal["create"], ...] = ("create",)

    @override
    def read_record(self, record: Json) -> str | None:
        count = value_in_record(record, self.salesforce)
        if not isinstance(count, int | float) or count < 1:
            return None
        return next((size for most, size in _SIZES.items() if count <= most), _LARGEST)

    @override
    def read_referral(self, referral: Json) -> str | None:
        return normal_text(in_referral(referral, self.referral))
