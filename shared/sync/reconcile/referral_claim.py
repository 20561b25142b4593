"""The claim on a referral that has no link yet (docs/protocol.md#creating-an-opportunity).

pointer row      what happens
pointer          the pair is reconciled
none             the referral is claimed
live claim       the referral is queued: another instance works on it, and nothing is read
old claim        the claim is taken over; Salesforce is searched before anything is created
"""

from contextlib import suppress

from msgspec import Struct

from shared.domain.link import Effect, Intent, Pointer
from shared.foundation.errors import StoreConflict, StoreError
from shared.sync.context import Context
from shared.sync.outcome import BUSY, Outcome
from shared.sync.ports import Entry
from shared.sync.reconcile.adoption import intended_opportunity


class Linked(Struct, frozen=True):
    """The referral has a link: reconcile that pair."""

    opportunity_id: str


class Claim(Struct):
    """The lock of a referral that has no link yet. Each change is made under the ETag that was read or written last."""

    referral_id: str
    entry: Entry[Pointer]

    @property
    def intended(self) -> Effect | None:
        """The opportunity that a run set out to create, and may have created."""
        return intended_opportunity(self.entry.value)

    @property
    def is_unused(self) -> bool:
        """Whether nothing can have been created under it."""
        return self.intended is None and self.entry.value.opportunity_id is None

    def record_intent(self, ctx: Context, effect: Effect) -> None:
        """Store what is about to be created, which renews the lease. Raises StoreConflict: the lease was lost."""
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, Pointer(intent=Intent((effect,))))

    def point_to(self, ctx: Context, opportunity_id: str) -> None:
        """Turn the claim into a pointer to the link."""
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, Pointer(opportunity_id))

    def delete(self, ctx: Context) -> None:
        """Delete the claim, so that the next try need not wait for the end of the lease."""
        ctx.store.delete_pointer(self.referral_id, self.entry)

    def delete_if_unused(self, ctx: Context) -> None:
        """Delete the claim after a failure, unless something may have been created: that claim ends with its lease."""
        if self.is_unused:
            with suppress(StoreError):
                self.delete(ctx)


def claim_referral(ctx: Context, referral_id: str) -> Linked | Outcome | Claim:
    """Claim a referral; its link, or an outcome, where it is linked or another instance holds the claim."""
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            return Claim(referral_id, ctx.store.insert_pointer(referral_id, Pointer(intent=Intent())))
        if entry.value.opportunity_id:
            return Linked(entry.value.opportunity_id)
        if entry.age < ctx.policy.lease:
            return BUSY
        return Claim(referral_id, ctx.store.replace_pointer(referral_id, entry, entry.value))
    except StoreConflict:
        return BUSY
