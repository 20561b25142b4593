"""The rows that commit f9a8dde stored, and what it read from them; stored_rows/README.md says how they were made."""

import hashlib
import json
import sqlite3
import zlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from shared.domain.audit import Line
from shared.domain.deal import Company, Deal, Money, Person, Status, Value
from shared.domain.link import Difference, Intent, Link, Pointer
from shared.store.stored_values import RetryEntry, SideState

Json = Mapping[str, Any]

FOLDER = Path(__file__).parent / "stored_rows"
INTERRUPTED, SIGNED_OUT = "interrupted", "signed_out"
SCENES = (INTERRUPTED, SIGNED_OUT)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_NOTES = "$long_notes"


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row: the columns of SQLite, the properties of Table Storage, and what f9a8dde read from it."""

    partition: str
    key: str
    etag: int
    changed: int
    at: int | None
    properties: Json
    reads: Any

    @property
    def data(self) -> bytes:
        """The stored bytes; Table Storage keeps them in pieces."""
        return b"".join(b64decode(self.properties[f"d{number}"]) for number in range(self.pieces))

    @property
    def pieces(self) -> int:
        """How many binary properties hold the bytes."""
        return sum(name.startswith("d") and "@" not in name for name in self.properties)

    @property
    def entity(self) -> Json:
        """The entity as Table Storage answers it."""
        changed = moment_of(self.changed)
        stamp = f"{changed:%Y-%m-%dT%H:%M:%S.%f}0Z"
        head = {"odata.etag": f'W/"{self.etag}"', "PartitionKey": self.partition, "RowKey": self.key}
        return {**head, "Timestamp": stamp, **self.properties}


@dataclass(frozen=True, slots=True)
class Scene:
    """One store, as it stood at `moment`, and the ids of its pairs by the name of what happened to them."""

    moment: datetime
    changes: int
    schema: Sequence[str]
    pairs: Mapping[str, Json]
    rows: Sequence[StoredRow]

    def of(self, partition: str, key: str) -> list[StoredRow]:
        """The rows whose partition and key begin with these texts."""
        return [row for row in self.rows if row.partition.startswith(partition) and row.key.startswith(key)]

    def age(self, row: StoredRow) -> timedelta:
        """How old a row was."""
        return self.moment - moment_of(row.changed)

    def write_to(self, connection: sqlite3.Connection) -> None:
        """Make the SQLite store in an empty database, with the schema of f9a8dde."""
        for statement in self.schema:
            connection.execute(statement)
        connection.execute("INSERT INTO store (version, changes) VALUES (1, ?)", (self.changes,))
        connection.executemany(
            "INSERT INTO rows (partition, key, data, etag, changed, at) VALUES (?, ?, ?, ?, ?, ?)",
            [(row.partition, row.key, row.data, row.etag, row.changed, row.at) for row in self.rows],
        )
        connection.commit()


@cache
def scene(name: str) -> Scene:
    """A stored scene."""
    document = read_json("f9a8dde.json")
    found = document["scenes"][name]
    rows = [StoredRow(**row) for row in found["rows"]]
    moment = datetime.fromisoformat(found["moment"])
    return Scene(moment, found["changes"], document["schema"], found["pairs"], rows)


def read_json(name: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """A file of the fixture; the long notes are made, not stored."""
    text = (FOLDER / name).read_text("utf-8")
    return json.loads(text, object_hook=_with_long_notes)


def _with_long_notes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: long_notes() if value == _LONG_NOTES else value for name, value in found.items()}


@cache
def long_notes() -> str:
    """32,000 characters that do not compress: a link with them needs more than one property of Table Storage."""
    blocks = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(2000))
    numbers = [int.from_bytes(blocks[place : place + 2], "big") for place in range(0, 64_000, 2)]
    return "".join(chr(0x3400 + number % 0xA000) for number in numbers)


def moment_of(number: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=number)


def text_of(data: bytes) -> tuple[int, str]:
    """The version of the form, and the text that was compressed: another zlib may compress it to other bytes."""
    return data[0], zlib.decompress(data[1:]).decode("utf-8", "surrogatepass")


# --- what is read, described without the names of the code that reads it ----------------------------------------------


def described_value(value: Value | Person | None) -> Any:  # noqa: ANN401 - JSON of any shape
    """A value of a deal as plain JSON."""
    match value:
        case None | str():
            return value
        case Money():
            return {"amount": str(value.amount), "currency": value.currency}
        case Status():
            return {"status": value.status, "substatus": value.substatus, "reason": value.reason}
        case Company() | Person():
            return asdict(value)
        case date():
            return {"date": value.isoformat()}
        case tuple():
            return [described_value(item) for item in value]


def _described_deal(deal: Deal) -> Json:
    return {name: described_value(value) for name, value in deal.items()}


def _described_intent(intent: Intent | None) -> Sequence[Json] | None:
    if intent is None:
        return None
    return [
        {
            "kind": str(effect.kind),
            "values": _described_deal(effect.values),
            "displaced": _described_deal(effect.displaced),
            "version": effect.version,
            "decided": _described_moment(effect.decided),
        }
        for effect in intent.effects
    ]


def _described_differences(differences: Mapping[str, Difference]) -> Json:
    return {
        name: {"fingerprint": known.value, "code": known.code, "since": _described_moment(known.since)}
        for name, known in differences.items()
    }


def _described_moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def described_link(link: Link) -> Json:
    """All that a link says."""
    cause = link.cause
    return {
        "opportunity": link.opportunity_id,
        "state": str(link.state),
        "referral": link.referral_id,
        "engagement": link.engagement_id,
        "base": _described_deal(link.base),
        "referral version": link.etag,
        "agreed": link.agreed,
        "opportunity versions": dict(link.stamps),
        "intent": _described_intent(link.intent),
        "refused": _described_differences(link.refused),
        "waiting": _described_differences(link.waiting),
        "told": list(link.reported),
        "cause": [cause.code, cause.field, cause.reason, cause.remedy] if cause else None,
        "mark": str(link.mark) if link.mark else None,
        "unwritten": link.unwritten,
    }


def described_pointer(pointer: Pointer) -> Json:
    """All that a pointer says."""
    return {"opportunity": pointer.opportunity_id, "intent": _described_intent(pointer.intent)}


def described_line(line: Line) -> Json:
    """An audit line."""
    return {"at": _described_moment(line.at), "text": line.text}


def described_retry_entry(entry: RetryEntry) -> Json:
    """All that a retry entry says."""
    return {
        "side": str(entry.side),
        "key": entry.key,
        "at": _described_moment(entry.at),
        "cause": entry.cause,
        "attempts": entry.attempts,
        "since": _described_moment(entry.since),
    }


def described_side(state: SideState) -> Json:
    """How a side is doing."""
    return {
        "paused until": _described_moment(state.paused_until),
        "reason": state.reason,
    }
