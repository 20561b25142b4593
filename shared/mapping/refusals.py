"""What a deal can do without: the value or contact that Salesforce refused when the opportunity was to be created.

Source: docs/protocol.md#creating-an-opportunity.
"""

import re
from collections.abc import Mapping
from copy import replace

from shared.domain.arrival import CONTACT_REFUSED, Arrival
from shared.foundation.errors import Rejected
from shared.mapping.field_base import FieldBase
from shared.mapping.money_field import ForeignMoneyField

PERSON_STEP = re.compile("(?:contact|role)([0-9]*)")
"""The step of a graph that creates a contact or its role."""


def without_refused(fields: Mapping[str, FieldBase], arrival: Arrival, error: Rejected, tries: int) -> Arrival:
    """Leave out the value or contact that Salesforce refuses, so that it stops no deal; after `tries`, all contacts.

    Raises the error again if Salesforce refuses something else.
    """
    step = PERSON_STEP.fullmatch(error.step or "")
    if step is None:
        name = _dispensable_field(fields, error.cause.field)
        if name is None or name not in arrival.deal or error.step != "opportunity":
            raise error
        return arrival.without_value(name)
    fewer = arrival.without_person(int(step[1] or 0), error.cause)
    refused = sum(gap.cause.code == CONTACT_REFUSED for gap in fewer.gaps)
    return fewer if refused < tries else replace(fewer, people=())


def _dispensable_field(fields: Mapping[str, FieldBase], column: str | None) -> str | None:
    """Return the field with this column, if it is one of the connector's own amount: no deal needs it to arrive."""
    shown = ((name, field) for name, field in fields.items() if isinstance(field, ForeignMoneyField))
    return next((name for name, field in shown if column in field.select_items()), None)
