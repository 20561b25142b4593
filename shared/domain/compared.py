"""What the compare of all links looks for, and whether a pair that was read differs. Pure.

A difference is drift only where nothing is on file for it: no wait, no refusal, no lead, no state that writes nothing.
It is found by the plan that a look at the pair would make, so each latch and each rule of the merge counts.

Source: docs/protocol.md#the-daily-compare.
"""

from collections.abc import Iterator
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from shared.domain.deal import VISIBILITY, VISIBLE, Change, Side, display_text, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.known_versions import LOOKED_AT, MISSING, accounts_for
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.plan_lead import OPEN_LEAD
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral

GRACE = timedelta(hours=1)
"""So long a change may be under way: push, events and sweep have had their turn by then."""
POLLED = "opportunity"
"""The polling query whose stamp tells that an opportunity itself was saved."""
_COMPARED = frozenset({State.LIVE, State.ON_HOLD, State.PARKED})
"""The states in which both sides are kept in step."""
_AT_REST = frozenset({State.CLOSED, State.GONE})


class FindingKind(StrEnum):
    """The kinds of findings.

    drift                 values differ, and nothing is on file for it
    interrupted           a run stopped within this pair, and nothing returns to it
    opportunity_missing   Salesforce does not show the opportunity
    referral_missing      Partner Center does not show the referral
    two_referrals         two open referrals of ours name one opportunity
    two_opportunities     two opportunities carry one referral id
    two_links             two links lead to one referral
    unlinked_referral     an open referral of ours has no opportunity, and no event, sweep or entry has it
    unlinked_opportunity  a ticked opportunity has no referral, and no push or entry has it as it is now
    unread_opportunity    an opportunity was saved, ticked or un-ticked, and no push has read it: it was hidden then
    news                  a record of another party says what nobody has heard
    """

    DRIFT = "drift"
    INTERRUPTED = "interrupted"
    OPPORTUNITY_MISSING = "opportunity_missing"
    REFERRAL_MISSING = "referral_missing"
    TWO_REFERRALS = "two_referrals"
    TWO_OPPORTUNITIES = "two_opportunities"
    TWO_LINKS = "two_links"
    UNLINKED_REFERRAL = "unlinked_referral"
    UNLINKED_OPPORTUNITY = "unlinked_opportunity"
    UNREAD_OPPORTUNITY = "unread_opportunity"
    NEWS = "news"


UNHEARD = frozenset(
    {
        FindingKind.INTERRUPTED,
        FindingKind.UNLINKED_REFERRAL,
        FindingKind.UNLINKED_OPPORTUNITY,
        FindingKind.UNREAD_OPPORTUNITY,
        FindingKind.TWO_REFERRALS,
        FindingKind.NEWS,
    }
)
"""What each daily compare queues: an event, a push or a sweep should have done it, and it replaces no value.

The pull of a second referral tells it in the inbox (docs/protocol.md#two-of-one). What an interrupted run has written
is recovered as by the next look, whoever causes it.
"""
MENDED = UNHEARD | {
    FindingKind.DRIFT,
    FindingKind.OPPORTUNITY_MISSING,
    FindingKind.REFERRAL_MISSING,
}
"""What the app does once a person wants it. Of duplicates only a person knows which one to keep."""


class FieldDrift(Struct, frozen=True):
    """One field whose values differ, as a person reads them. Values never go into a log."""

    field: str
    label: str
    salesforce: str
    partner_center: str


class Finding(Struct, frozen=True):
    """What the compare found about a pair. `other` is the second opportunity or referral of a duplicate."""

    kind: FindingKind
    opportunity_id: str | None = None
    referral_id: str | None = None
    drift: tuple[FieldDrift, ...] = ()
    other: str | None = None


def without_old_lease(link: Link, age: timedelta) -> Link:
    """The link, without the lease that a stopped run left: an empty intent, with nothing to recover."""
    is_left = link.intent is not None and not link.intent.effects and age > GRACE
    return replace(link, intent=None) if is_left else link


def is_compared(link: Link) -> bool:
    """Whether both sides of a link are kept in step now, so that a difference would be drift."""
    is_free = link.intent is None and not link.close_as_test and link.lead != OPEN_LEAD
    return link.referral_id is not None and link.state in _COMPARED and is_free


def is_paused(link: Link) -> bool:
    """Whether the deal waits for its tick."""
    return link.referral_id is not None and link.state is State.PAUSED and link.intent is None


def is_at_rest(link: Link) -> bool:
    """Whether the deal is closed or gone: a later edit is told, and a restored one goes on, so no push may miss it."""
    return link.referral_id is not None and link.state in _AT_REST and link.intent is None


def is_unread(link: Link, opportunity: Opportunity) -> bool:
    """Whether no look has taken the opportunity's tick or last save.

    The poll goes by stamps. A save that the sync user could not see has one from before the poll's cursor, and comes
    with no other when they may see it again. What a late save brought under a stamp that a look has found, differs.
    """
    if link.state is State.PAUSED:
        return opportunity.flagged
    saved, looked_at = opportunity.stamps.get(POLLED), (link.stamps.get(POLLED), link.stamps.get(LOOKED_AT))
    return (not opportunity.flagged and link.lead is None) or (saved is not None and saved not in looked_at)


def knows_save(link: Link, saved: str) -> bool:
    """Whether a ticked opportunity without a referral is left to its link: a look has taken its last save.

    The last look at one that is shown may not have found it: the sync user could not see it then.
    """
    is_taken = link.stamps.get(POLLED) == saved and MISSING not in link.stamps
    return is_taken or link.intent is not None or link.referral_id is not None


def has_other_parties(link: Link) -> bool:
    """Whether Microsoft or another partner takes part in the deal, or may: a colleague can ask about a visible one."""
    is_known = link.microsoft or link.partners or link.help is not None or link.answer_by is not None
    return bool(is_known) or link.base.get(VISIBILITY) == VISIBLE


def may_have_drifted(link: Link, opportunity: Opportunity, rules: Rules) -> bool:
    """Whether the opportunity holds a value that is neither agreed nor on file: its referral must then be read.

    Under another mapping than the link's, only what the base still knows is compared: a new field travels when either
    side changes, and is no drift before.
    """
    base = link.base_under(rules)
    unread = {*opportunity.problems, *opportunity.partial, *opportunity.unseen}
    deal = opportunity.deal.without(
        *unread, *(set() if link.mapping == rules.mapping else {*opportunity.deal} - {*base})
    )
    return not accounts_for(link, deal, Side.SALESFORCE, rules)


def is_young(opportunity: Opportunity, at: datetime) -> bool:
    """Whether the opportunity, its account or its rows changed so lately that the change may be under way."""
    stamps = [stamp for query, stamp in opportunity.stamps.items() if not query.endswith("deleted")]
    newest = max((opportunity.modified, *map(datetime.fromisoformat, stamps)))
    return at - newest < GRACE


def drift_in(
    plan: Plan, link: Link, opportunity: Opportunity, referral: Referral, rules: Rules
) -> tuple[FieldDrift, ...]:
    """The fields that a look at the pair would write or put on file, without those on file.

    Under another mapping, a field that the base never had is no drift.
    """
    known = None if link.mapping == rules.mapping else link.base_under(rules)
    ours, theirs = opportunity.deal, referral.deal
    untold = (name for name in _put_on_file(plan, link) if ours.get(name) != theirs.get(name))
    fields = dict.fromkeys((*_unfiled(plan, link), *untold))
    return tuple(
        FieldDrift(name, rules[name].label, display_text(ours.get(name)), display_text(theirs.get(name)))
        for name in fields
        if name in rules.by_field and (known is None or name in known)
    )


def _unfiled(plan: Plan, link: Link) -> Iterator[str]:
    """The fields that would be written, although nothing is on file for them."""
    for side, changes in ((Side.PARTNER_CENTER, plan.to_partner_center), (Side.SALESFORCE, plan.to_salesforce)):
        for change in changes:
            key = f"{side}.{change.field}"
            if not (change.field in link.waiting or link.refuses(key, change.new) or _is_stopped(link, key, change)):
                yield change.field


def _is_stopped(link: Link, key: str, change: Change) -> bool:
    """Whether the mass-change stop holds back this change: it stops the change of each side apart."""
    known = link.waiting.get(key)
    return known is not None and known.value == fingerprint(change.new)


def _put_on_file(plan: Plan, link: Link) -> Iterator[str]:
    """The fields whose difference would be told, because a rule forbids to write it, or lets it wait."""
    for planned, filed in ((plan.refused, link.refused), (plan.waiting, link.waiting)):
        for key, record in planned.items():
            if (known := filed.get(key)) is None or known.value != record.value:
                yield key.rpartition(".")[2]
