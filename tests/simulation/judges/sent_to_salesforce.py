"""Takes a request to Salesforce apart into the records that it writes, and an answer into the records that it shows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

Json = Any


@dataclass(frozen=True)
class RecordWrite:
    """One record that a request writes.

    record      its id; None where it is new
    external    the column and the value that an upsert finds it by
    stamp       the second of the version that it must still have; None where there is no condition
    name        the subrequest that has the answer
    """

    method: str
    sobject: str
    values: Mapping[str, Json] = field(default_factory=dict)
    record: str | None = None
    external: tuple[str, str] | None = None
    stamp: str | None = None
    name: str = ""


def written_records(method: str, path: str, body: bytes) -> Iterator[RecordWrite]:
    """Each record that a request writes. A request that only reads writes none."""
    if method == "GET":
        return
    sent = json.loads(body) if body else None
    parts = _subrequests(sent)
    if parts is None:
        yield from _of_part({"method": method, "url": path, "body": sent})
    for part in parts or ():
        yield from _of_part(part)


def _subrequests(sent: Json) -> list[Json] | None:
    if not isinstance(sent, dict) or not {"graphs", "compositeRequest"} & sent.keys():
        return None
    return [part for envelope in sent.get("graphs", [sent]) for part in envelope["compositeRequest"]]


def _of_part(part: Json) -> Iterator[RecordWrite]:
    method, name = part["method"], part.get("referenceId", "")
    address, _, query = part["url"].partition("/services/data/")[2].partition("/")[2].partition("?")
    steps, body = address.split("/"), part.get("body")
    if method == "GET" or steps[0] in {"query", "queryAll", "limits", "actions"}:
        return
    if steps[:2] == ["composite", "sobjects"]:
        yield from _of_collection(method, steps, query, body, name)
    elif steps[0] == "sobjects":
        yield _of_one(method, steps, body or {}, part.get("httpHeaders", {}), name)
    else:
        yield RecordWrite(method, address)


def _of_collection(method: str, steps: list[str], query: str, body: Json, name: str) -> Iterator[RecordWrite]:
    if method == "DELETE":
        ids = query.partition("ids=")[2].partition("&")[0]
        yield from (RecordWrite(method, "", record=each, name=name) for each in ids.replace("%2C", ",").split(","))
    elif len(steps) == 2:  # with an object behind it, it is a retrieve
        for record in body["records"]:
            values = {column: value for column, value in record.items() if column not in {"attributes", "id", "Id"}}
            yield RecordWrite(
                method, record["attributes"]["type"], values, record.get("id", record.get("Id")), name=name
            )


def _of_one(method: str, steps: list[str], values: Json, headers: Mapping[str, str], name: str) -> RecordWrite:
    condition = headers.get("If-Unmodified-Since")
    stamp = f"{parsedate_to_datetime(condition):%Y-%m-%dT%H:%M:%S}" if condition else None
    record = steps[2] if len(steps) == 3 else None
    external = (steps[2], steps[3]) if len(steps) > 3 else None
    return RecordWrite(method, steps[1], values, record, external, stamp, name)


def done_parts(answer: bytes) -> set[str]:
    """The subrequests that an answer says were carried out, by name."""
    try:
        parts = _subresponses(json.loads(answer)) if answer.startswith(b"{") else []
    except ValueError:  # half an answer
        return set()
    return {part["referenceId"] for part in parts if part["httpStatusCode"] in range(200, 300)}


def _subresponses(answer: Json) -> list[Json]:
    envelopes = [graph["graphResponse"] for graph in answer["graphs"]] if "graphs" in answer else [answer]
    return [part for envelope in envelopes for part in envelope.get("compositeResponse", ())]


def read_records(answer: bytes, sobject: str) -> Iterator[Mapping[str, Json]]:
    """Each record of an object that an answer shows with its version."""
    if b'"LastModifiedDate"' in answer:
        for record in _records_in(json.loads(answer)):
            if record["attributes"].get("type") == sobject and "LastModifiedDate" in record:
                yield record


def _records_in(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, list):
        for one in value:
            yield from _records_in(one)
    elif isinstance(value, dict):
        if "attributes" in value:
            yield value
        else:
            for one in value.values():
                yield from _records_in(one)
