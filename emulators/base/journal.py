"""Describe one answered request, as the journal of an emulator keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request and its answer; `sent` and `received` are the bytes of the two bodies.

    `at` is the emulated time. `tags` are notes of the emulator about the request, such as the name of the operation.
    """

    at: str
    method: str
    path: str
    query: Mapping[str, str]
    status: int
    fault: str | None
    sent: int
    received: int
    tags: tuple[str, ...] = ()
