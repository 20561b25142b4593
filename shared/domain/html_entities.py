"""Decode HTML entities in texts that passed through a web page (docs/reference/partner-center.md#wire-format)."""

import html
import re
from html.entities import html5

_NUMBER = re.compile(r"#(?:[0-9]{1,8}|[xX][0-9A-Fa-f]{1,8});")
_LONGEST = max(map(len, html5)) + 1
"""The characters of the longest entity, from `&` to `;`."""


def decode_entities(text: str) -> str:
    """Return the text without HTML entities, however often they were encoded.

    The result holds no entity, so decoding it again changes nothing. Only entities that end in a semicolon count:
    HTML also knows `&copy` and `&reg`, but in a text they are more often part of an address, as in `?a=1&region=us`.
    """
    if "&" not in text:
        return text
    decoded = ""
    for run in re.split("(?<=;)", text):
        decoded = _decode_end(decoded + run)
    return decoded


def _decode_end(text: str) -> str:
    """Decode the entity at the end of the text, and the one that may end there then."""
    while text.endswith(";"):
        start = text.rfind("&", -_LONGEST)
        characters = _characters_of(text[start + 1 :]) if start >= 0 else None
        if characters is None:
            break
        text = text[:start] + characters
    return text


def _characters_of(name: str) -> str | None:
    """Return the characters that an entity stands for, or None if it is none; `name` is the entity without its `&`."""
    return html.unescape(f"&{name}") if _NUMBER.fullmatch(name) else html5.get(name)
