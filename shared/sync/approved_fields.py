"""Finds the fields that are newly sent to Partner Center, and lets nothing of them go (`Policy.unapproved`).

Source: docs/protocol.md#a-field-that-is-newly-sent.
"""

from copy import replace

from shared.domain.mapping_change import first_approval, unapproved_fields
from shared.mapping.outbound import outbound_sources
from shared.sync.ports import Context, Mode


def with_unapproved(ctx: Context) -> Context:
    """The context that sends nothing of a field which is newly sent, or is sent from another column.

    In preview nothing is written, and nothing counts as approved. Raises the store's errors.
    """
    if ctx.policy.mode is not Mode.ON:
        return ctx
    outbound = outbound_sources(ctx.translation.file)
    approved = ctx.store.approved_fields()
    if approved is None:
        links = (entry.value for entry in ctx.store.links())
        approved = ctx.store.keep_first_approval(first_approval(outbound, links, ctx.translation.rules))
    unapproved = unapproved_fields(outbound, approved)
    if unapproved:
        ctx.log("mapping_unapproved", fields=sorted(unapproved))
    return replace(ctx, policy=replace(ctx.policy, unapproved=unapproved))
