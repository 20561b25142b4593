"""Read the JSON of Partner Center: referrals, list pages, and objects with names in either case.

Bodies use camelCase, the documentation uses PascalCase, and one sample mixes both. So the first letter of each name is
put in lower case on reading (docs/reference/partner-center.md#wire-format). Numbers with a fraction become Decimal, so
that money is never rounded. All other values stay as they are: unknown enumeration members, null for a list, dates with
seven digits after the second.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

Json = Mapping[str, Any]

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class Unreadable(Exception):
    """The body is HTML, empty, truncated, or has another shape than expected. Clients translate this error."""


def parse_body(body: bytes) -> Any:  # noqa: ANN401 - a decoded body has no static type
    """The value in a body, with folded names. Raises Unreadable."""
    try:
        return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError):
        # No cause is attached, because the decoder's text quotes the body.
        raise Unreadable("the body is not JSON") from None


def parse_object(body: bytes) -> Json:
    """The object in a body, with folded names. Raises Unreadable if it is not an object."""
    value = parse_body(body)
    if not isinstance(value, dict):
        raise Unreadable("the body is not a JSON object")
    return value


def _fold_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with the first letter of every name in lower case.

    If it has a name in both cases, the one in camelCase wins.
    """
    folded = dict(pairs)
    for name in folded:
        if name[:1].isupper():
            break
    else:
        return folded
    pascal = {name[:1].lower() + name[1:]: item for name, item in pairs if name[:1].isupper()}
    return pascal | {name: item for name, item in pairs if not name[:1].isupper()}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_fold_names, parse_float=Decimal, parse_constant=_refuse_constant)
"""Made once: `json.loads` would make one for each body."""


def parse_referral(body: bytes, headers: Mapping[str, str]) -> Json:
    """The referral in an answer. Raises Unreadable.

    The version comes from the body; if the body has none, from the ETag header
    (docs/reference/partner-center.md#response-headers).
    """
    referral = parse_object(body)
    if not (isinstance(referral.get("id"), str) and referral["id"]):
        raise Unreadable("the body is not a referral")
    if not referral.get("eTag") and "etag" in headers:
        return {**referral, "eTag": headers["etag"]}
    return referral


def is_referral_id(value: object) -> bool:
    """Whether the value can be a referral's id: a text that fits into an address and into a key of the store."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def parse_page(body: bytes) -> tuple[Sequence[Json], str | None]:
    """The stamps of a list page, and its nextLink (None on the last page). Raises Unreadable.

    An item without an id that fits into an address cannot be read later. It is dropped, so that it does not block the
    other items.
    """
    page = parse_object(body)
    items = page.get("value")
    if not isinstance(items, list):
        raise Unreadable("the body is not a list of referrals")
    stamps = [item for item in items if isinstance(item, dict) and is_referral_id(item.get("id"))]
    link = next((text for name, text in page.items() if name.lower() == "@odata.nextlink"), None)
    if link is not None and not isinstance(link, str):
        raise Unreadable("the nextLink is not a text")
    return stamps, link or None
