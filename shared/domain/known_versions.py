"""Which version of each side a link knows: one in which each mapped value is agreed, or a difference on record. Pure.

Source: docs/protocol.md#known-versions.
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime

from shared.domain.creation_values import STAYS_UNREAD, readable_lists
from shared.domain.deal import STATUS, VISIBILITY, Deal, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.left_members import is_known_list, unsent_members
from shared.domain.link import Dated, EffectKind, Intent, Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.member_sets import keys_of
from shared.domain.ping_pong import PING_PONG
from shared.domain.records import Opportunity, Referral

MISSING = "deleted"
"""The key of the stamps that says when the last look did not find the opportunity."""


LOOKED_AT = "looked_at"
"""The key of the stamp that the last look found, where a save may still come under it: no poll counts it as known."""


def _looked_at(opportunity: Opportunity) -> str:
    """The stamp of the opportunity itself, if it is not reliable; else an empty text."""
    stamp = opportunity.seen.get("opportunity", "")
    return "" if opportunity.stamps.get("opportunity") == stamp else stamp


def with_known_versions(link: Link, opportunity: Opportunity | None, referral: Referral | None, rules: Rules) -> Link:
    """Move each read side's known version, if every mapped value there is agreed or a known difference.

    Who hears Microsoft may read an opportunity before a push does. So a tick that the link does not expect, and an
    opportunity that was gone, are left to the next push.
    """
    if referral is not None:
        link = _with_known_referral(link, referral, rules)
    return _with_known_opportunity(link, opportunity, rules) if opportunity is not None else link


def _with_known_referral(link: Link, referral: Referral, rules: Rules) -> Link:
    is_suspended = link.state in SUSPENDED
    is_known = is_suspended or accounts_for(link, referral.deal, Side.PARTNER_CENTER, rules)
    is_read = all(rule.field in referral.deal for rule in rules.updatable) and not rules.unseen  # unknown, not agreed
    unsent = unsent_members(rules) if link.refused else ()
    stays = all(known.code in STAYS_UNREAD or key in unsent for key, known in link.refused.items())
    is_agreed = is_known and is_read and stays and not (link.waiting or is_suspended or link.state is State.CLOSED)
    is_read_now = is_known and referral.raw is not None  # what stands in for a referral has another date
    dated = Dated(referral.etag, referral.updated) if is_read_now else link.dated
    return replace(link, etag=referral.etag if is_known else None, agreed=is_agreed, dated=dated)


def version_held(
    link: Link, referral: Referral | None, written: Mapping[str, Value | None], rules: Rules
) -> str | None:
    """The version of a referral if the base and what is `written` to the opportunity hold all of its values.

    If the outcome of that write is unknown, the referral need not be read again (`stand_in`). A stage may say less than
    how the referral ended, such as that it expired, and the audit says that: such a referral is read.
    """
    if referral is None:
        return None
    known = _with_known_referral(replace(link, base=Deal({**link.base, **written})), referral, rules)
    has_ended = referral.status is not None and referral.status.is_final
    is_told = not has_ended or referral.status == known.base.get(STATUS)
    return known.etag if known.agreed and is_told else None


def stand_in(link: Link, interrupted: Intent) -> Link | None:
    """The link whose base stands in for the referral, so that it need not be read; None if it must be.

    After a write to the opportunity whose outcome is unknown, it is the link as the write would leave it.
    """
    if interrupted.only_shows:
        return link if link.etag and link.agreed else None
    write = None if interrupted.find(EffectKind.PATCH_REFERRAL) else interrupted.find(EffectKind.WRITE_OPPORTUNITY)
    if write is None or write.etag is None:
        return None
    return replace(link, base=Deal({**link.base, **write.values}), etag=write.etag, agreed=True)


def _with_known_opportunity(link: Link, opportunity: Opportunity, rules: Rules) -> Link:
    has_unread = opportunity.problems or opportunity.partial
    deal = readable_lists(opportunity, link.base) if has_unread else opportunity.deal
    is_expected = link.lead is not None or opportunity.flagged is not (link.state is State.PAUSED)
    is_known = link.state is State.PAUSED or accounts_for(link, deal, Side.SALESFORCE, rules)
    is_known = link.referral_id is None or (is_known and is_expected and link.state is not State.GONE)
    stamps = {**link.stamps, **opportunity.stamps, LOOKED_AT: _looked_at(opportunity)} if is_known else {}
    unknown = (
        (MISSING,) if is_known and "opportunity" in opportunity.stamps else (MISSING, "opportunity")
    )  # it is there
    return replace(link, stamps={query: stamp for query, stamp in stamps.items() if stamp and query not in unknown})


def with_deletion(link: Link, at: datetime) -> Link:
    """Note that the opportunity was missing at a time of the server's clock: its deletion before that is known."""
    return replace(link, stamps={**link.stamps, MISSING: at.isoformat()})


def accounts_for(link: Link, deal: Deal, side: Side, rules: Rules) -> bool:
    """Whether each mapped value of a side is the agreed one, or a difference on record.

    What the base of a closed deal does not hold is unknown, and of its lists only the members count.
    """
    if link.state is State.CLOSED:
        names = [rule for rule in rules.updatable if rule.field in deal and rule.field in link.base]
        return all(
            is_same_as_closed(deal[rule.field], link.base[rule.field])
            or is_on_record(link, rule, deal[rule.field], side)
            for rule in names
        )
    return all(is_on_record(link, rule, deal[rule.field], side) for rule in rules.updatable if rule.field in deal)


def is_same_as_closed(value: Value | None, agreed: Value | None) -> bool:
    """Whether nobody has edited a value since the deal was closed. People have many deals: of a list, members count."""
    if isinstance(value, tuple | None) and isinstance(agreed, tuple | None):
        return keys_of(value) == keys_of(agreed)
    return value == agreed


def is_on_record(link: Link, rule: Rule, value: Value | None, side: Side) -> bool:
    """Whether a value of a side is the agreed one, or a difference on record."""
    return (
        value == link.base.get(rule.field)
        or _is_known_difference(link, rule.field, value, side)
        or (rule.is_set and is_known_list(link, rule.field, value, side))
    )


def _is_known_difference(link: Link, name: str, value: Value | None, side: Side) -> bool:
    """Whether this difference is known and stays: the other side refused it, or it waits for its time.

    A visibility that waits is always a tick, whatever help its wait is for.
    """
    key = f"{side.other}.{name}"
    if link.refuses(key, value) or (isinstance(value, tuple | None) and link.refuses(key, keys_of(value))):
        return True
    if (own := link.refused.get(f"{side}.{name}")) and own.code == PING_PONG:
        return True  # something sets it back here each time
    if key in link.waiting and link.waiting[key].value == fingerprint(value):
        return True  # it waits for an operator
    waiting = link.waiting.get(name) if side is Side.SALESFORCE else None
    return waiting is not None and (name == VISIBILITY or waiting.value == fingerprint(value))


def referral_from_base(link: Link, opportunity: Opportunity, rules: Rules) -> Referral:
    """The referral of a link without a read: each value as it was agreed at its version; an unread one is unknown."""
    status = known if isinstance(known := link.base.get("status"), Status) else None
    deal = Deal({rule.field: link.base[rule.field] for rule in rules.updatable if rule.field in link.base})
    return Referral(link.referral_id or "", link.etag or "", deal, opportunity.modified, status)
