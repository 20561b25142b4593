"""Decides which fields are newly sent to Partner Center, so that nothing of them is sent until a person agrees. Pure.

Source: docs/protocol.md#a-field-that-is-newly-sent.
"""

from collections.abc import Iterable, Mapping

from shared.domain.field_rules import Rules
from shared.domain.link import Link
from shared.domain.obstacles import REQUIRED

MAPPING_CHANGE = "mapping_change"
"""The code of a value that waits because its field is newly sent, and the cause of a retry entry of such a pair."""

type Approved = Mapping[str, tuple[str, ...]]
"""The sources from which each field may be sent, by field (`shared.mapping.outbound`)."""


def unapproved_fields(outbound: Mapping[str, str], approved: Approved) -> frozenset[str]:
    """The fields that are sent from a source that nobody has approved."""
    return frozenset(name for name, source in outbound.items() if source not in approved.get(name, ()))


def with_approval(approved: Approved, fields: Iterable[str], outbound: Mapping[str, str]) -> Approved:
    """What is approved once these fields are: a source that was approved before stays so."""
    new = {name: tuple(dict.fromkeys((*approved.get(name, ()), outbound[name]))) for name in fields}
    return {**approved, **new}


def first_approval(outbound: Mapping[str, str], links: Iterable[Link], rules: Rules) -> Approved:
    """What counts as approved where the store says nothing yet.

    A store without links begins with the mapping as it is: `cosell turn-on` has shown what it does. Where an earlier
    build has made links with this very file, all of it is approved. With another file, only what a referral cannot do
    without, if one link was read as the file reads it now: whether another field was sent then, no link says. What
    travels only at the creation is in no link, and counts as approved.
    """
    wanted = {name for name in outbound if name in rules.by_field and rules[name].on_update}
    needed, seen, is_known = wanted & set(REQUIRED), set[str](), False
    for link in links:
        if link.mapping is not None and _file_of(link.mapping) == _file_of(rules.mapping):
            return with_approval({}, outbound, outbound)
        is_known |= bool(link.sources)
        seen |= {name for name in needed - seen if link.sources.get(name) == rules[name].source}
    known = seen | (outbound.keys() - wanted) if is_known else outbound.keys()
    return with_approval({}, known, outbound)


def _file_of(mapping: str | None) -> str:
    """The hash of the file alone, without the mark of what an org hides (`shared.mapping.seen_columns`)."""
    return (mapping or "").partition("-")[0]
