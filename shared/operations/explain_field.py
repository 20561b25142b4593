"""Says why a field of a deal has its value: its stored changes, oldest first. It reads the table alone.

Source: docs/reference/commands.md#cosell-explain.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.deal import Side, display_text
from shared.domain.field_rules import Rules
from shared.domain.link import Link
from shared.domain.sentences import LineDirection
from shared.foundation.errors import ConfigurationError
from shared.mapping.violations import nearest
from shared.operations.find_pair import FoundPair, find_deal
from shared.store.link_store import LinkStore

WRITTEN = frozenset({LineDirection.TO_PARTNER_CENTER, LineDirection.FROM_PARTNER_CENTER})
FOLDED = "folded"
"""The code of a line that holds the texts of several: they may be about the field too."""


class FieldChange(Struct, frozen=True):
    """One stored line about the field.

    `side` is the side that the line is about, `was_written` whether the value arrived there, `text` the Audit line.
    """

    at: datetime
    was_written: bool
    side: Side | None
    before: str | None
    after: str | None
    rule: str | None
    text: str
    correlation_id: str | None


class OnFile(Struct, frozen=True):
    """A difference that stays, or a value that waits: where it is missing, why, and since when."""

    side: str
    code: str
    since: datetime


class Explained(Struct, frozen=True):
    """What is known of a field of a deal. `agreed` is the value on which both sides agreed last."""

    opportunity_id: str | None
    referral_id: str | None
    field: str
    label: str
    agreed: str | None
    changes: Sequence[FieldChange]
    on_file: Sequence[OnFile]
    name: str = ""


def explain_field(store: LinkStore, rules: Rules, text: str, field: str) -> Explained:
    """Explain a field, which is named as in the mapping file or by its label.

    Raises ConfigurationError for an unknown id or field, and the errors of the store.
    """
    found, name = find_deal(store, text), find_field(rules, field)
    link = found.link.value if found.link else None
    agreed = display_text(link.base[name]) if link is not None and name in link.base else None
    changes = [_change(line) for line in reversed(_lines(store, found)) if _is_about(line, name)]
    on_file = list(_on_file(link, name)) if link else []
    deal = str(link.base.get("name") or "") if link else ""
    return Explained(found.opportunity_id, found.referral_id, name, rules[name].label, agreed, changes, on_file, deal)


def find_field(rules: Rules, text: str) -> str:
    """Return the name of a field. Raises ConfigurationError that lists all fields."""
    wanted = text.strip().casefold()
    for name in rules.by_field:
        if wanted in (each.casefold() for each in (name, rules[name].label, _named(rules, name))):
            return name
    labels = {rule.label: rule.field for rule in rules}
    near = nearest(text, [*rules.by_field, *labels])
    guess = f" Did you mean {_named(rules, labels.get(near, near))}?" if near else ""
    known = ", ".join(sorted(_named(rules, name) for name in rules.by_field))
    raise ConfigurationError(f"FIELD: {text[:60]!r} is no mapped field.{guess} These are: {known}")


def _named(rules: Rules, name: str) -> str:
    """A field as people know it, with the name that the command takes."""
    return f"{rules[name].label} ({name})"


def _lines(store: LinkStore, found: FoundPair) -> Sequence[Line]:
    if found.opportunity_id is not None:
        return store.audit(found.opportunity_id)
    return store.audit_of_lead(found.key)


def _is_about(line: Line, name: str) -> bool:
    return line.field == name or line.code == FOLDED


def _change(line: Line) -> FieldChange:
    return FieldChange(
        line.at,
        line.direction in WRITTEN,
        line.side,
        line.before,
        line.after,
        line.rule,
        line.text,
        line.correlation_id,
    )


def _on_file(link: Link, name: str) -> Iterator[OnFile]:
    for side in Side:
        if known := link.refused.get(f"{side}.{name}"):
            yield OnFile(str(side), known.code, known.since)
    if waiting := link.waiting.get(name):
        yield OnFile("", waiting.code, waiting.since)
