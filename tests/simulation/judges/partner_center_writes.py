"""Judges each write to Partner Center: only paths of the mapping's, and only values that differ from the named version.

Source: docs/protocol.md#rule-4-only-what-changed, docs/protocol.md#writing-to-partner-center.

unowned     a path or a property that the connector may not write
unversioned a change that names no version which the referral ever had
unchanged   a value that the named version has already
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.simulation.judges.owned import LISTS, OF_A_NEW_REFERRAL, PATHS

REFUSALS = frozenset({400, 405, 422})
Record = Mapping[str, Any]


@dataclass
class PartnerCenterWrites:
    """The paths that were refused: a value that is there already is a proof then (docs/protocol.md#fixed-paths)."""

    refused: set[str] = field(default_factory=set)

    def judge(self, method: str, referral: str, version: Record | None, body: bytes) -> Iterator[str]:
        """What is wrong with a request; `version` is the referral as it was at the version that the request names."""
        if method == "POST":
            unowned = json.loads(body).keys() - OF_A_NEW_REFERRAL
            yield from (f"unowned: {sorted(unowned)} of a new referral are sent" for _ in [0] if unowned)
        elif method == "PATCH" and version is None:
            yield f"unversioned: {referral} is changed, and no version that it had is named"
        elif method == "PATCH" and version is not None:
            for operation in json.loads(body):
                yield from (f"{finding} of {referral}" for finding in self._judge(operation, version))

    def keep(self, body: bytes, status: int) -> None:
        """Remember what the service refused."""
        if status in REFUSALS:
            self.refused |= {_path_of(operation) for operation in json.loads(body)}

    def _judge(self, operation: Record, version: Record) -> Iterator[str]:
        path = _path_of(operation)
        if path not in PATHS or operation["op"] not in {"add", "replace"}:
            yield f"unowned: {operation['op']} {operation['path']}"
        elif _is_there(operation, version) and path not in self.refused:
            yield f"unchanged: {path} is sent, and is the same already,"


def _path_of(operation: Record) -> str:
    return str(operation["path"]).removesuffix("/-")


def _is_there(operation: Record, version: Record) -> bool:
    path, value = _path_of(operation), operation["value"]
    held: Any = version
    for step in path.split("/")[1:]:
        held = (held or {}).get(step)
    if path not in LISTS:
        return _plain(held) == _plain(value)
    if path != operation["path"]:
        return _key(path, value) in {_key(path, one) for one in held or ()}
    return sorted(map(_whole, held or ())) == sorted(map(_whole, value or ()))


def _key(path: str, member: Record) -> str:
    return str(member.get(LISTS[path])).lower()


def _whole(member: Record) -> str:
    """A member without what it leaves open."""
    return json.dumps({name: value for name, value in member.items() if value not in (None, [], "")}, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    return (str(value).replace("\r\n", "\n").strip() or None) if value is not None else None
