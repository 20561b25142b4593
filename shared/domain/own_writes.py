"""What the poll may drop without reading its link: deals that a push has just brought to their end, by stamp and hash.

An own write names no value: the hash covers the agreed values together, with what else a look at the opportunity acts
on, under the mapping of then. Whatever is uncertain makes none, so that the poll looks at the link. Pure. Source:
docs/protocol.md#own-writes.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct
from msgspec.structs import astuple

from shared.domain.field_rules import Rules
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.planned import must_return
from shared.domain.records import Opportunity


class OwnWrite(Struct, frozen=True):
    """A deal as a push left it.

    opportunity_id  the deal
    stamps          the newest stamp of each polling query as it was read, also where a save may still come under it
    digest          the hash of the agreed values, and of what else a look acts on
    is_settled      whether no save can come under any of the stamps any more
    """

    opportunity_id: str
    stamps: Mapping[str, str]
    digest: str
    is_settled: bool


def own_writes_of(left: Iterable[tuple[Link, Opportunity | None]], rules: Rules, now: datetime) -> Sequence[OwnWrite]:
    """What is kept of released pairs, each as it is stored and as it was read last."""
    found = (own_write_of(link, opportunity, rules, now) for link, opportunity in left if opportunity is not None)
    return [write for write in found if write is not None]


def own_write_of(link: Link, opportunity: Opportunity, rules: Rules, now: datetime) -> OwnWrite | None:
    """What is kept of a released pair; None if a look at it could do more than to compare the agreed values.

    What was read back after the write may show what somebody chose meanwhile, and no plan has seen. So the hash is of
    what the plan was made of. Only the user of the last save is that of the read-back: it must be ours.
    """
    first = opportunity
    while first.before is not None:
        first = first.before
    if (
        is_unclear(first)
        or not (first.flagged and is_at_rest(link, rules, now))
        or "opportunity" not in opportunity.seen
    ):
        return None
    is_settled = all(link.stamps.get(query) == stamp for query, stamp in opportunity.seen.items())
    if opportunity.before is None and not is_settled:
        return None  # the last save is of somebody else, and another may come under its stamp
    agreed = {rule.field: link.base.get(rule.field) for rule in rules.updatable if rule.field in first.deal}
    expected = replace(
        first,
        deal=first.deal.with_values(agreed),
        referral_id=link.referral_id,
        answer_by=None,
        name=opportunity.name,
        modified_by=opportunity.modified_by,
    )
    return OwnWrite(link.opportunity_id, opportunity.seen, digest(expected, rules), is_settled)


def is_at_rest(link: Link, rules: Rules, now: datetime) -> bool:
    """Whether nothing of a linked deal waits, is refused or held, must be heard, or still has to be shown."""
    waits = link.intent or link.unwritten or link.unshown or link.waiting or link.refused or must_return(link, now)
    heard = link.microsoft or link.partners or link.erased or link.close_as_test or link.unknown
    told = (link.cause, link.inbox, link.notice, link.lead, link.answer_by)
    is_agreed = link.agreed and link.etag and link.referral_id and link.mapping == rules.mapping
    is_live = link.state is State.LIVE and is_agreed and link.mark is not None and link.mark is link.due_mark
    return bool(is_live) and not (waits or heard) and all(one is None for one in told)


def is_unclear(opportunity: Opportunity) -> bool:
    """Whether a part of the opportunity was not read, or is not what is compared."""
    parts = opportunity.problems or opportunity.partial or opportunity.unseen or opportunity.lacking
    return bool(parts or opportunity.cut) or "opportunity" not in opportunity.seen


def digest(opportunity: Opportunity, rules: Rules) -> str:
    """Hash all that a look at the opportunity acts on."""
    values = (rules.mapping, sorted(opportunity.deal.items(), key=_name_of))
    facts = (opportunity.id, opportunity.flagged, opportunity.referral_id, astuple(opportunity.sharing))
    shown = (opportunity.stage, opportunity.reason, opportunity.reason_details, opportunity.answer_by, opportunity.name)
    lists = (sorted(opportunity.rows.items(), key=_name_of), sorted(opportunity.unsendable.items(), key=_name_of))
    text = repr((values, facts, shown, lists, opportunity.computed, opportunity.modified_by))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _name_of(item: tuple[str, object]) -> str:
    return item[0]


def looked_at_again(known: OwnWrite, opportunity: Opportunity, rules: Rules) -> OwnWrite | None:
    """The own write with the stamps of a second look; None if somebody may have changed the deal since."""
    is_same = known.stamps.get("opportunity") == opportunity.seen.get("opportunity")
    if is_unclear(opportunity) or not is_same or digest(opportunity, rules) != known.digest:
        return None
    return OwnWrite(opportunity.id, opportunity.seen, known.digest, is_settled(opportunity))


def is_settled(opportunity: Opportunity) -> bool:
    """Whether the server's clock was 30 seconds past each stamp when it was read (docs/protocol.md#stamps)."""
    return all(opportunity.stamps.get(query) == stamp for query, stamp in opportunity.seen.items())
