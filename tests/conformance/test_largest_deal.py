"""A row can hold the largest possible deal, together with an intent that replaces all its values."""

import random
from datetime import UTC, datetime

import pytest

from shared.store.row_codec import pack, unpack
from shared.store.rows import Insert, Put, Replace, Rows

LINK = "O|006000000000001AAA"


def random_text(seed: int, length: int) -> str:
    """A random mix of Chinese, Latin letters and an emoji. Compression cannot make it much smaller."""
    alphabet = [chr(code) for code in range(0x4E00, 0x9FA5)] + list("abcdefghijklmnopqrstuvwxyz \n") + ["\U0001f4c8"]
    return "".join(random.Random(seed).choices(alphabet, k=length))  # noqa: S311 - the same text each time


def largest_deal(seed: int) -> dict[str, object]:
    return {
        "notes": random_text(seed, 32_000),
        "solutions": [{"id": f"SOL-{seed:05}-{n:05}", "name": random_text(seed + n, 200)} for n in range(50)],
        "team": [
            {"name": random_text(seed - n, 80), "email": f"{random_text(n, 60)}@example.com", "phone": f"+8869{n:08}"}
            for n in range(50)
        ],
        "money": {"value": "999999999999.9999999", "currency": "TWD"},
    }


@pytest.mark.slow
def test_the_largest_deal_and_its_intent_are_stored_and_read_back(rows: Rows) -> None:
    present, intended = largest_deal(1), largest_deal(100)
    link = {"state": "live", "base": present, "intent": [{"effect": "patch", "sets": intended, "displaces": present}]}
    (etag,) = rows.write(LINK, [Insert("link", pack({"state": "live", "base": present}))])
    assert etag is not None
    lines = [Put(f"a|{n:03}", pack({"text": random_text(n, 1_000)})) for n in range(50)]
    rows.write(LINK, [Replace("link", pack(link), etag, datetime(2026, 3, 1, tzinfo=UTC)), *lines])
    row = rows.get(LINK, "link")
    assert row is not None
    assert len(row.data) > 250_000, "the deal must be large for this test"
    assert unpack(row.data) == link
    assert len(rows.list(LINK, prefix="a|")) == 50
