"""Encode JSON without losing digits of money. Dates and times are written in ISO form."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal


def json_text(value: object) -> str:
    """The JSON of a body. A Decimal becomes a JSON number with exactly its digits; it is never converted to a float.

    Raises ValueError for numbers that JSON does not have (NaN, Infinity), and TypeError for other types.
    """
    match value:
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(name))}:{json_text(item)}" for name, item in value.items()) + "}"
        case Sequence() if not isinstance(value, str | bytes | bytearray):
            return "[" + ",".join(map(json_text, value)) + "]"
        case Decimal():
            if not value.is_finite():
                raise ValueError("JSON has finite numbers only")
            return format(value, "f")
        case date():
            return json.dumps(value.isoformat())
    return json.dumps(value, allow_nan=False)
