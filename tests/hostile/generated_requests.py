"""Generate webhook requests from a seed."""

import json
import random

from tests.hostile.request_changes import HARMLESS_CHANGES, HOSTILE_CHANGES, change_header_case, junk_text
from tests.hostile.request_drafts import BODY, RESOURCE, RequestDraft


def unusable_body(chance: random.Random) -> bytes:
    """A body that names no referral. A correctly signed event could hold it."""
    deep = chance.choice([b"[", b'{"a":']) * chance.randrange(1, 10_000)
    fields: dict[str, object] = {
        "EventName": junk_text(chance),
        "ResourceUri": chance.choice([RESOURCE, junk_text(chance), None, 5, [], {}]),
    }
    bodies = [
        b"",
        deep,
        chance.randbytes(chance.randrange(2_000)),
        b"\xef\xbb\xbf" + BODY,
        BODY[: chance.randrange(len(BODY))],
        b"null",
        b"[]",
        b"NaN",
        b'{"EventName": Infinity}',
        b"9" * chance.randrange(1, 9_000),
        b'{"EventName":"a","eventname":"b"}',
        BODY.replace(b"referral", b"customer"),
        json.dumps(fields).encode()[:60_000],
        BODY.replace(b"api.partner", b"evil.partner"),
        BODY.decode().encode("utf-16"),
        b'"\\ud800"',
    ]
    return chance.choice(bodies)


def generate_request(chance: random.Random) -> RequestDraft:
    """One request. Of eight, one is genuine, one has an unusable body, the others are changed one to three times."""
    draft = RequestDraft.signed(unusable_body(chance) if chance.random() < 0.125 else BODY)
    for change in chance.sample(HARMLESS_CHANGES, chance.randrange(len(HARMLESS_CHANGES))):
        change(draft, chance)
    if chance.random() < 0.75:
        for change in chance.choices(
            list(HOSTILE_CHANGES), list(HOSTILE_CHANGES.values()), k=chance.choice([1, 1, 1, 2, 3])
        ):
            change(draft, chance)
    if chance.random() < 0.3:
        change_header_case(draft, chance)
    return draft
