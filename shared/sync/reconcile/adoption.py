"""Links an opportunity and a referral that both exist already (docs/protocol.md#creating-an-opportunity)."""

from copy import replace

from shared.domain.link import Effect, EffectKind, Link, Pointer
from shared.domain.link_states import State
from shared.domain.records import Referral
from shared.domain.sentences import sentence
from shared.sync.context import Context
from shared.sync.ports import Line
from shared.sync.reconcile.arrival_lines import arrival_lines
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, audit_line


def adopted_link(
    ctx: Context, link: Link, referral: Referral, pointer: Pointer | None
) -> tuple[Link, tuple[Line, ...]]:
    """The link of an existing opportunity with its referral, and the audit lines for it.

    If an interrupted run set out to create the opportunity for this referral, it created this one. The values of its
    intent are then the base, so that an edit made since then survives.
    """
    intended = intended_opportunity(pointer)
    base = intended.values if intended and not link.base else link.base
    adopted = replace(
        link,
        referral_id=referral.id,
        engagement_id=referral.engagement_id,
        base=base,
        state=State.LIVE,
        reported=(),
        cause=None,
        unwritten=True,
    )
    if intended:
        return adopted, arrival_lines(ctx, referral)
    return adopted, (audit_line(ctx.clock.now(), FROM_PARTNER_CENTER, sentence("adopted_opportunity")),)


def intended_opportunity(pointer: Pointer | None) -> Effect | None:
    """The opportunity that a run set out to create for the referral, and may have created."""
    intent = pointer.intent if pointer else None
    return intent.find(EffectKind.CREATE_OPPORTUNITY) if intent else None
