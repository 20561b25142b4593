"""Check the JSON bodies of control requests, so that a mistyped body is refused at once."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

INVALID_BODY_ERRORS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, msgspec.ValidationError)
"""Errors that a control route raises because of its body. The control API answers each of them with 400."""

type Pause = Annotated[float, msgspec.Meta(ge=0, le=3600)]  # seconds


def convert_strictly[T: DataclassInstance](kind: type[T], body: object) -> T:
    """Return a decoded body as a `kind`.

    Raises ValueError for a name that `kind` does not have, msgspec.ValidationError for a value of another type.
    """
    converted = msgspec.convert(body, kind)
    unknown = set(body) - {f.name for f in fields(kind)} if isinstance(body, dict) else set()
    if unknown:
        raise ValueError(f"a {kind.__name__} has no {sorted(unknown)}")
    return converted
