"""JSON as Partner Center reads and writes it.

The wire is camelCase, the documentation PascalCase, and a sample mixes both in one object: names are folded on reading
(reference/partner-center.md 3.1). Numbers with a fraction are Decimal on both ways, so that money is never rounded.
Values are passed on untouched: unknown enum members, null for a list, dates with seven digits of a second.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

import httpx

Json = Mapping[str, Any]

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class Unreadable(Exception):
    """The body is not what was asked for: HTML, empty, truncated, or of another shape. Strictly private to clients."""


def parse_body(body: bytes) -> Any:  # noqa: ANN401 - a decoded body has no static type
    """Decode a body, names folded. Raises Unreadable."""
    try:
        return fold_names(json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        # The decoder's own text quotes the body.
        raise Unreadable("the body is not JSON") from None


def parse_object(body: bytes) -> Json:
    """Decode a body that must be an object. Raises Unreadable."""
    value = parse_body(body)
    if not isinstance(value, dict):
        raise Unreadable("the body is no JSON object")
    return value


def fold_names(value: Any) -> Any:  # noqa: ANN401 - as load
    """Lower the first letter of every name, at any depth; a name that is camelCase already wins over its twin."""
    if isinstance(value, list):
        return [fold_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    pascal = {name[:1].lower() + name[1:]: fold_names(item) for name, item in value.items() if name[:1].isupper()}
    return pascal | {name: fold_names(item) for name, item in value.items() if not name[:1].isupper()}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def parse_referral(body: bytes, headers: httpx.Headers) -> Json:
    """A referral's representation. Raises Unreadable.

    The version is read from the body first, from the ETag header second (reference/partner-center.md 1.4).
    """
    found = parse_object(body)
    if not (isinstance(found.get("id"), str) and found["id"]):
        raise Unreadable("the body is no referral")
    if not found.get("eTag") and "ETag" in headers:
        return {**found, "eTag": headers["ETag"]}
    return found


def is_referral_id(value: object) -> bool:
    """Whether it can be a referral's id: what an address, and a key of the store, can hold."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def parse_page(body: bytes) -> tuple[Sequence[Json], str | None]:
    """The stamps of a list page and its nextLink, None on the last. Raises Unreadable.

    An item without an id, or with one that no address can hold, cannot be looked at and is dropped, so that it does not
    block the others.
    """
    found = parse_object(body)
    items = found.get("value")
    if not isinstance(items, list):
        raise Unreadable("the body is no list of referrals")
    stamps = [item for item in items if isinstance(item, dict) and is_referral_id(item.get("id"))]
    link = next((text for name, text in found.items() if name.lower() == "@odata.nextlink"), None)
    if link is not None and not isinstance(link, str):
        raise Unreadable("the nextLink is no text")
    return stamps, link or None
