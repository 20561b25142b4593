"""Judges each line of the log: ids, codes, counts and hashes only; no value of a person and no token.

Source: docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs. Two tests, each enough to condemn a line: it holds a
value that somebody entered, or one of its fields has the form of no id, code or count.

leaked    a value of a person, or a token, is in the log
wordy     a field of a log event is neither an id, a code, a count nor a time
sent away a request with a token goes to a host that is not configured
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CODE = re.compile(r"[A-Za-z0-9_.,:/|*@+~#&=-]{0,200}")
"""Ids, codes, paths, hashes, times and names of fields and classes: one word of plain characters."""
CALL = re.compile(
    r"(?:GET|POST|PATCH|DELETE) referrals?(?: [0-9a-f-]{36})?|(?:an? |conditional |the )?[a-z]+(?: [a-z]+){0,3}"
)
"""How a call is named in a log event."""
REMEDY = re.compile(r"[a-z ,]+")
PROBLEM = re.compile(r"[a-z ,0-9]+|Invalid enum value '[a-z_]+' - at `[$.a-z_\[\]]+`")
"""What is wrong with a setting or a row: of a row, which state or kind is unknown, and where."""
SENTENCES = {"call": CALL, "remedy": REMEDY, "problem": PROBLEM, "where": REMEDY, "run": REMEDY, "reason": REMEDY}
"""The fields that hold a sentence of the product's own."""
SHORTEST = 4
"""Characters of the shortest value that is looked for: shorter ones stand in ids by chance."""


def judge_event(event: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """Fields of a log event that have the form of no id, code, count or time."""
    for name, value in fields.items():
        for one in value if isinstance(value, list | tuple | set | frozenset) else [value]:
            is_plain = one is None or isinstance(one, bool | int | float) or CODE.fullmatch(str(one))
            if not (is_plain or (name in SENTENCES and SENTENCES[name].fullmatch(str(one)))):
                yield f"wordy: the {name} of {event} is {one!r}"


def judge_text(text: str, values: Iterable[str], tokens: Iterable[str]) -> Iterator[str]:
    """The values of persons, and the tokens, that stand in a line of the log."""
    for value in values:
        if len(value) >= SHORTEST and value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            yield f"leaked: {value!r} is in the log line {text[:200]!r}"
    yield from (f"leaked: a token is in the log line {text[:40]!r}" for token in tokens if token in text)


def judge_host(host: str, headers: Mapping[str, str], configured: Iterable[str]) -> Iterator[str]:
    """A request with a token to a host that is not configured."""
    carries_token = any(name.lower() == "authorization" for name in headers)
    if carries_token and host not in configured:
        yield f"sent away: a token goes to {host}"


TEXTS = {
    "Name", "FirstName", "LastName", "Email", "Phone", "Description", "BillingStreet", "BillingCity", "Title", "name",
    "firstName", "lastName", "email", "phoneNumber", "notes", "addressLine1", "city", "Notes_to_Microsoft__c",
}  # fmt: skip
"""The columns and properties whose values name a person or a company, or are a text that somebody wrote."""


def texts_of(value: object, name: str = "") -> Iterator[str]:
    """Each text of a record that names a person or a company, or that somebody wrote, with each line of it."""
    if isinstance(value, str):  # first, because most values are texts, and the check for a mapping is slow
        if name in TEXTS:
            yield from filter(None, (line.strip() for line in value.splitlines()))
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part, name)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from texts_of(part, str(key))
