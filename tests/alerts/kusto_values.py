"""The values of the query language, and what operators and functions make of them.

A text is never null: its absence is "". Every other kind has the null `None`. The kinds of operands are checked when a
query is made ready (`kusto_expressions.py`).
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple


class NotEvaluated(Exception):
    """The query uses what this engine does not know. It must get no result by chance."""


class Kind(StrEnum):
    """The kinds of values. LONG is a whole number, REAL any other; DYNAMIC is what was in a JSON text."""

    TEXT = "string"
    TRUTH = "bool"
    LONG = "long"
    REAL = "real"
    TIME = "datetime"
    SPAN = "timespan"
    DYNAMIC = "dynamic"


class Dynamic(NamedTuple):
    """A value of the kind dynamic that is not null."""

    value: Any


type Scalar = str | bool | int | float | datetime | timedelta | Dynamic | None
type Row = Mapping[str, Any]
"""The value of each column: a Scalar of the column's kind."""


def equals(one: Scalar, other: Scalar) -> bool | None:
    """Of two nulls nobody knows it; one null equals no value."""
    return None if one is None and other is None else one == other


def differs(one: Scalar, other: Scalar) -> bool | None:
    """The opposite of `equals`."""
    return None if one is None and other is None else one != other


def with_values(rule: Callable[[Any, Any], Scalar]) -> Callable[[Any, Any], Scalar]:
    """An operator whose result is null if one of its operands is."""
    return lambda one, other: None if one is None or other is None else rule(one, other)


def starts_with(text: str, start: str) -> bool:
    """Whether a text begins so, in capital or small letters."""
    return text[: len(start)].casefold() == start.casefold()


def divided(one: float, other: float) -> float:
    """A quotient, of which one part is a real number."""
    if other == 0:
        return float("nan") if one == 0 else float("inf") * one
    return one / other


@lru_cache(maxsize=1 << 15)
def parsed_json(text: str) -> Dynamic | None:
    """The JSON of a text. What is no JSON is a dynamic text."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return None if value is None else Dynamic(value)


def member(of: Dynamic | None, name: str) -> Dynamic | None:
    """The member of a dynamic object; null where there is none."""
    value = of.value.get(name) if of and isinstance(of.value, dict) else None
    return None if value is None else Dynamic(value)


def as_text(value: Dynamic | str | None) -> str:
    """The text of a value; "" of a null. Raises NotEvaluated where the service's form of it is not known here."""
    inner = value.value if isinstance(value, Dynamic) else value
    if inner is None or isinstance(inner, str):
        return inner or ""
    if isinstance(inner, bool | int):
        return json.dumps(inner)
    raise NotEvaluated(f"the text of {inner!r}")


def as_truth(value: Dynamic | None) -> bool | None:
    """The truth in a dynamic value; null of a null. Raises NotEvaluated for any other value."""
    if value is None or isinstance(value.value, bool):
        return value and value.value
    raise NotEvaluated(f"tobool of {value.value!r}")


def as_real(value: Dynamic | None) -> float | None:
    """The number in a dynamic value; null of a null. Raises NotEvaluated for any other value."""
    if value is None:
        return None
    if isinstance(value.value, bool) or not isinstance(value.value, int | float):
        raise NotEvaluated(f"a number of {value.value!r}")
    return float(value.value)


def as_long(value: Dynamic | None) -> int | None:
    """The whole number in a dynamic value, as `as_real`."""
    number = as_real(value)
    return None if number is None else int(number)
