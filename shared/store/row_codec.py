"""Encode the data of a row: canonical JSON, compressed, after one byte with the version of the format.

Only plain JSON is accepted. Decimals, dates and tuples are refused, because they would be read as something else;
`link_json.py` gives them a notation of their own. msgspec is several times as fast as Python's own module, which serves
what msgspec refuses: half a surrogate pair. Source: docs/protocol.md#how-a-base-is-stored.
"""

import json
import zlib
from contextlib import suppress
from typing import Any

import msgspec

from shared.foundation.errors import UnreadableRow

FORMAT_VERSION = 1
"""The version of the bytes: compressed JSON after this one byte."""
ROWS = 2
"""The generation of what the rows hold. Builds of one generation read each other's rows.

A deployment records it in the zip, and refuses to go back to a build of an earlier generation. The builds of generation
1, up to 0.2.0, do not record one: a single row with an unknown key or state stops all their pushes. Raise this number
only for rows that the build before cannot read (docs/protocol.md#rows-of-other-builds).
"""
_ENCODER, _DECODER = msgspec.json.Encoder(order="sorted"), msgspec.json.Decoder()


def pack(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Return the bytes of `value`; equal values give equal bytes.

    Raises TypeError for anything but plain JSON (objects with text keys, lists, text, numbers, true, false, null), and
    ValueError for numbers that JSON does not have.
    """
    return bytes((FORMAT_VERSION,)) + zlib.compress(_fast_json(value) or _any_json(value))


def _fast_json(value: Any) -> bytes | None:  # noqa: ANN401 - JSON of any shape
    """Return the JSON of a value; None if msgspec refuses it, or would read it as something else."""
    with suppress(ValueError, TypeError, OverflowError):
        text = _ENCODER.encode(value)
        return text if _DECODER.decode(text) == value else None
    return None


def _any_json(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Return the JSON of a value. Raises as `pack`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if json.loads(text) != value:  # much faster than a look at each value in Python
        raise TypeError("this is not plain JSON: it would be read as something else")
    # A text may end with half a surrogate pair, after a remote system cut it. It is kept as it is.
    return text.encode("utf-8", "surrogatepass")


def unpack(data: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the value that `pack` encoded. Raises UnreadableRow for data that is damaged or has a newer version."""
    if data and data[0] > FORMAT_VERSION:
        raise UnreadableRow(
            f"the row has version {data[0]}, this program reads {FORMAT_VERSION}",
            remedy="deploy the newer program again",
        )
    try:
        text = _decompress(data)
        with suppress(ValueError):
            return _DECODER.decode(text)
        return json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, zlib.error):
        # The error is not chained: a JSON error quotes the document, which may hold personal data.
        raise UnreadableRow(
            "the row is damaged", remedy="restore it from a backup, or delete it so that it is created again"
        ) from None


def _decompress(data: bytes) -> bytes:
    if data[:1] != bytes((FORMAT_VERSION,)):
        raise ValueError("the version is missing")
    stream = zlib.decompressobj()
    text = stream.decompress(data[1:])
    if not stream.eof or stream.unused_data:
        raise ValueError("the data ends too early or too late")
    return text
