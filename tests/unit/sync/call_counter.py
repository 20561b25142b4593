"""Counts the calls in the emulators' journals, by the kinds of docs/protocol.md#call-floors."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emulators.base.journal import JournalEntry


@dataclass(slots=True)
class CallCounter:
    """Both journals, and how many entries of each were counted already."""

    salesforce: list[JournalEntry]
    partner_center: list[JournalEntry]
    counted: tuple[int, int] = (0, 0)

    def new_calls(self) -> Counter[str]:
        """Calls by system and kind since the last count."""
        salesforce_count, partner_center_count = self.counted
        counts = Counter(f"salesforce.{_salesforce_kind(entry.tags)}" for entry in self.salesforce[salesforce_count:])
        counts.update(
            f"partner_center.{entry.tags[0] if entry.tags else 'failed'}"
            for entry in self.partner_center[partner_center_count:]
        )
        self.counted = (len(self.salesforce), len(self.partner_center))
        return counts

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Calls inside the block are removed from the journals."""
        lengths = (len(self.salesforce), len(self.partner_center))
        yield
        for journal, length in zip((self.salesforce, self.partner_center), lengths, strict=True):
            del journal[length:]


def _salesforce_kind(tags: tuple[str, ...]) -> str:
    """The kind of a Salesforce call, as docs/protocol.md#call-floors names it."""
    if not tags or tags[0] != "composite":
        return tags[0] if tags else "failed"
    parts = set(tags[1:])
    for tag, kind in (("collections.update", "write_back"), ("update", "conditional")):
        if tag in parts:
            return kind
    return "query" if parts & {"query", "query.all"} else "composite"
