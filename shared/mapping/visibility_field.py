"""Whether Microsoft's sellers see a deal: a checkbox in Salesforce, a consent in Partner Center."""

from typing import Any, override

from shared.domain.deal import PRIVATE, VISIBLE
from shared.mapping.field_base import FieldBase, SalesforcePath
from shared.mapping.paths import Json, in_referral, replace_operation, set_value, value_in_record
from shared.mapping.referral_kind import CONSENT, is_shared


class VisibilityField(FieldBase):
    """Whether Microsoft's sellers see the deal. No key of the file: every org with the column has it.

    Partner Center takes only `true`, and only once (docs/reference/partner-center.md#fields-that-lock).
    """

    salesforce: SalesforcePath

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.salesforce,)

    @override
    def read_record(self, record: Json) -> str:
        return VISIBLE if value_in_record(record, self.salesforce) else PRIVATE

    @override
    def read_referral(self, referral: Json) -> str:
        return VISIBLE if is_shared(referral) else PRIVATE

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {self.salesforce: value == VISIBLE}

    @override
    def patch_operations(self, value: Any, old: Any) -> list[Json]:
        return [replace_operation(CONSENT, True)] if value == VISIBLE != old else []  # noqa: FBT003 - a JSON value

    @override
    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:
        """Let Microsoft's sellers see the new referral: it is addressed by its first solution."""
        if value == VISIBLE:
            set_value(body, CONSENT, True)  # noqa: FBT003 - a JSON value
            solutions = in_referral(body, "/details/requirements/solutions") or [{}]
            body |= {"type": "Shared", "target": [{"type": "SolutionProfile", "id": solutions[0].get("id")}]}
