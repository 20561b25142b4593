"""Computes what Azure computes from names alone: resource ids, `guid` and `uniqueString`.

Source: the snapshots of the Bicep CLI in this folder's `compiled`, which tests compare with.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_GUID_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_BITS = 0xFFFFFFFF

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
TENANT_ID = "00000000-0000-0000-0000-000000000002"


class Symbol(str):
    """A value that only Azure can give, as text. A text that contains it, between < and >, is a Symbol too."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A declared resource as an expression sees it: what its names tell, and Symbols for what only Azure tells.

    `scope` is the id of its group, or of the resource that it extends. `full_name` has the names of its parents before
    its own, each ended by a slash.
    """

    scope: str
    type: str
    full_name: str

    @property
    def id(self) -> str:
        """Its resource id."""
        return resource_id(self.scope, self.type, self.full_name)

    def member(self, name: str) -> str:
        """The text that `.name` behind the resource's symbol gives. Azure alone knows its properties."""
        if name == "name":
            return _same_kind(self.full_name, self.full_name.rpartition("/")[2])
        return self.id if name == "id" else Symbol(f"reference({self.id}).{name}")


def joined(*parts: str) -> str:
    """The parts as one text, which is a Symbol if one of them is."""
    known = all(not isinstance(part, Symbol) for part in parts)
    return "".join(parts) if known else Symbol("".join(parts))


def resource_id(scope: str, kind: str, name: str) -> str:
    """The id of the resource with this scope, type and full name (see ResourceReference)."""
    if kind == "Microsoft.Resources/resourceGroups":
        return joined(scope, "/resourceGroups/", name)
    namespace, *types = kind.split("/")
    pairs = "/".join(f"{each}/{part}" for each, part in zip(types, name.split("/", len(types) - 1), strict=True))
    return _same_kind(joined(scope, name), f"{scope}/providers/{namespace}/{pairs}")


def _same_kind(like: str, text: str) -> str:
    return Symbol(text) if isinstance(like, Symbol) else text


def guid(*values: str) -> str:
    """The function `guid`: a version 5 UUID of the values."""
    return str(uuid.uuid5(_GUID_NAMESPACE, "-".join(values)))


def unique_string(*values: str) -> str:
    """The function `uniqueString`: 13 digits of base 32 of a 64-bit hash of the values."""
    number = _murmur64("-".join(values).encode())
    padded = number << 1  # 13 digits of five bits are one bit more than the hash has
    return "".join(_ALPHABET[padded >> 5 * digit & 31] for digit in reversed(range(13)))


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _BITS


def _murmur64(data: bytes) -> int:
    low, high = 0, 0
    whole = len(data) // 8 * 8
    for start in range(0, whole, 8):
        one, other = (int.from_bytes(data[at : at + 4], "little") for at in (start, start + 4))
        low ^= _rotated(one * 0x239B961B & _BITS, 15) * 0xAB0E9789 & _BITS
        low = ((_rotated(low, 19) + high) * 5 + 0x561CCD1B) & _BITS
        high ^= _rotated(other * 0xAB0E9789 & _BITS, 17) * 0x239B961B & _BITS
        high = ((_rotated(high, 13) + low) * 5 + 0x0BCAA747) & _BITS
    return _finished(*_with_tail(low, high, data[whole:]), len(data))


def _with_tail(low: int, high: int, tail: bytes) -> tuple[int, int]:
    if len(tail) > 4:
        high ^= _rotated(int.from_bytes(tail[4:], "little") * 0xAB0E9789 & _BITS, 17) * 0x239B961B & _BITS
    if tail:
        low ^= _rotated(int.from_bytes(tail[:4], "little") * 0x239B961B & _BITS, 15) * 0xAB0E9789 & _BITS
    return low, high


def _finished(low: int, high: int, length: int) -> int:
    low, high = low ^ length, high ^ length
    low = (low + high) & _BITS
    high = (high + low) & _BITS
    low, high = _mixed(low), _mixed(high)
    low = (low + high) & _BITS
    high = (high + low) & _BITS
    return high << 32 | low


def _mixed(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _BITS
    value = (value ^ value >> 13) * 0xC2B2AE35 & _BITS
    return value ^ value >> 16


def subscription() -> Mapping[str, Any]:
    """The function `subscription`."""
    return {"id": SUBSCRIPTION, "subscriptionId": SUBSCRIPTION.rpartition("/")[2], "tenantId": TENANT_ID}
