"""How a row's data is written: canonical JSON, compressed, with the version of the form in front.

Plain JSON only. Decimal, dates and tuples have their own notation one floor up: here they are refused, because they
would come back as something else. See protocol.md section 2 (a base is stored compressed).
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any

from shared.foundation.errors import StoreError

FORMAT_VERSION = 1


def pack(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """The bytes of `value`; equal values give equal bytes.

    Raises TypeError for what is not plain JSON (objects with text keys, lists, text, numbers, true, false, null) and
    ValueError for numbers that JSON does not know.
    """
    _check_plain(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # Text cut in the middle of a character outside the basic plane is damaged, but not ours to lose.
    return bytes((FORMAT_VERSION,)) + zlib.compress(text.encode("utf-8", "surrogatepass"))


def unpack(data: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value that `pack` was given. Raises StoreError for data that is damaged or of a newer version."""
    if data and data[0] > FORMAT_VERSION:
        raise StoreError(
            f"the row has version {data[0]}, this program reads {FORMAT_VERSION}: deploy the newer program again"
        )
    try:
        return json.loads(_decompress(data))
    except (ValueError, zlib.error):
        # The cause is left out on purpose: a JSON error quotes the document, which may hold personal data.
        raise StoreError(
            "the row is damaged: restore it from a backup, or delete it so that it is made again"
        ) from None


def _decompress(data: bytes) -> str:
    if data[:1] != bytes((FORMAT_VERSION,)):
        raise ValueError("no version")
    stream = zlib.decompressobj()
    text = stream.decompress(data[1:])
    if not stream.eof or stream.unused_data:
        raise ValueError("cut short, or followed by something else")
    return text.decode("utf-8", "surrogatepass")


def _check_plain(value: Any) -> None:  # noqa: ANN401 - whatever a caller passes
    kind = type(value)
    if kind is dict:
        _check_names(value)
        _check_all(value.values())
    elif kind is list:
        _check_all(value)
    elif value is not None and kind not in (bool, int, float, str):
        raise TypeError(f"{kind.__name__} is not plain JSON")


def _check_all(values: Iterable[object]) -> None:
    for value in values:
        _check_plain(value)


def _check_names(names: Iterable[object]) -> None:
    if not all(type(name) is str for name in names):
        raise TypeError("the names of an object are text")
