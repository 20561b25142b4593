"""The emulators' journals, counted in the words of protocol.md section 11."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emulators.base.journal import JournalEntry


@dataclass(slots=True)
class CallCounter:
    """Both journals, and how far each was read."""

    salesforce: list[JournalEntry]
    partner_center: list[JournalEntry]
    read: tuple[int, int] = (0, 0)

    def calls(self) -> Counter[str]:
        """Calls by system and kind since last asked."""
        first, second = self.read
        counts = Counter(f"salesforce.{_kind(entry.tags)}" for entry in self.salesforce[first:])
        counts.update(
            f"partner_center.{entry.tags[0] if entry.tags else 'failed'}" for entry in self.partner_center[second:]
        )
        self.read = (len(self.salesforce), len(self.partner_center))
        return counts

    @contextmanager
    def not_counted(self) -> Iterator[None]:
        """Calls within are not in the books."""
        lengths = (len(self.salesforce), len(self.partner_center))
        yield
        for journal, length in zip((self.salesforce, self.partner_center), lengths, strict=True):
            del journal[length:]


def _kind(tags: tuple[str, ...]) -> str:
    """A Salesforce call's kind in the words of protocol.md section 11."""
    if not tags or tags[0] != "composite":
        return tags[0] if tags else "failed"
    parts = set(tags[1:])
    for tag, kind in (("collections.update", "write_back"), ("update", "conditional")):
        if tag in parts:
            return kind
    return "query" if parts & {"query", "query.all"} else "composite"
