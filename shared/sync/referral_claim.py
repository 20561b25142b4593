"""Claims a referral that has no link yet, and the account of its customer (docs/protocol.md#creating-an-opportunity).

pointer row      what happens
pointer          the pair is reconciled
none             the referral is claimed
live claim       the referral is queued: another instance works on it, and nothing is read
old claim        the claim is taken over; Salesforce is searched before anything is created
inbox mark       the referral was refused and is shown in the inbox: it is claimed, and the mark stays
lead             the referral has a Lead, which is not synced: it is claimed, and what is known of the Lead stays

A pointer with an inbox mark is handed over as a claim too: its record must be deleted (docs/protocol.md#the-inbox).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import replace

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.inbox import MAY_BE_SHOWN, InboxItem
from shared.domain.leads import KnownLead
from shared.domain.link import Effect, Intent, Pointer
from shared.foundation.errors import (
    Ambiguous,
    Conflict,
    CosellError,
    Rejected,
    StoreConflict,
    StoreError,
)
from shared.sync.ports import BUSY, RECONCILED, Context, Entry, Outcome


class Claim(Struct):
    """The lock of a referral that has no link yet. Each change is made under the ETag that was read or written last."""

    referral_id: str
    entry: Entry[Pointer]

    @property
    def is_linked(self) -> bool:
        """Whether the referral has its link already."""
        return self.entry.value.opportunity_id is not None

    @property
    def is_in_inbox(self) -> bool:
        """Whether the inbox shows the referral, or may show it."""
        return self.entry.value.inbox is not None

    @property
    def is_unused(self) -> bool:
        """Whether nothing can have been created under it."""
        return self.entry.value.intended_opportunity is None and self.entry.value.opportunity_id is None

    def record_intent(self, ctx: Context, effect: Effect) -> None:
        """Store what is about to be created, which renews the lease. Raises StoreConflict: the lease was lost."""
        self._replace(ctx, replace(self.entry.value, intent=Intent((effect,))))

    def point_to(self, ctx: Context, opportunity_id: str) -> None:
        """Turn the claim into a pointer to the link."""
        self._replace(ctx, replace(self.entry.value, opportunity_id=opportunity_id, intent=None))

    def keep_lead(self, ctx: Context, lead: KnownLead, lines: Sequence[Line] = ()) -> None:
        """Note what is known of the referral's Lead, with its audit lines, and release the claim."""
        lines = [replace(line, correlation_id=ctx.correlation_id) for line in lines]
        known = replace(self.entry.value, lead=lead, intent=None)
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, known, lines)

    def delete(self, ctx: Context) -> None:
        """Delete the claim, so that the next try need not wait for the end of the lease. Inbox mark and lead stay."""
        if self.is_in_inbox or self.entry.value.lead is not None:
            self._replace(ctx, replace(self.entry.value, intent=None))
        else:
            ctx.store.delete_pointer(self.referral_id, self.entry)

    def report(self, ctx: Context, item: InboxItem) -> None:
        """Show in the inbox that the referral is refused, and delete the claim. Raises the client's errors.

        The mark is stored before the record is written, so that a record whose writer stopped is found and deleted.
        """
        known = self.entry.value.inbox
        shown: str | None = MAY_BE_SHOWN
        if known != item.fingerprint:
            self._replace(ctx, replace(self.entry.value, intent=Intent(), inbox=MAY_BE_SHOWN))
        try:
            shown = ctx.report_in_inbox(item, known)
        finally:
            self.entry = replace(self.entry, value=replace(self.entry.value, inbox=shown))
            self.delete(ctx)

    def leave_inbox(self, ctx: Context) -> None:
        """Delete the inbox record of a referral that needs no opportunity any more, and its mark."""
        ctx.remove_from_inbox(self.referral_id)
        self.entry = replace(self.entry, value=replace(self.entry.value, inbox=None))
        if self.is_unused:
            self.delete(ctx)
        else:
            self._replace(ctx, self.entry.value)

    def _replace(self, ctx: Context, pointer: Pointer) -> None:
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, pointer)

    def delete_if_unused(self, ctx: Context) -> None:
        """Delete the claim after a failure, unless something may have been created: that claim ends with its lease."""
        if self.is_unused:
            with suppress(StoreError):
                self.delete(ctx)


def claim_referral(ctx: Context, referral_id: str) -> str | Outcome | Claim:
    """Claim a referral; its link, or an outcome, where it is linked or another instance holds the claim."""
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            return Claim(referral_id, ctx.store.insert_pointer(referral_id, Pointer(intent=Intent())))
        if entry.value.opportunity_id:
            return entry.value.opportunity_id if entry.value.inbox is None else Claim(referral_id, entry)
        if entry.value.intent is not None and entry.age < ctx.policy.lease:
            return BUSY
        claimed = replace(entry.value, intent=entry.value.intent or Intent())
        return Claim(referral_id, ctx.store.replace_pointer(referral_id, entry, claimed))
    except StoreConflict:
        return BUSY


def ignore_referral(ctx: Context, claim: Claim, reason: str) -> Outcome:
    """Leave a referral alone that makes no opportunity, and log why.

    A deleted opportunity may be restored: the values that an interrupted run gave it stay, and are its base then.
    """
    if reason == "opportunity_deleted":
        claim.delete_if_unused(ctx)
    else:
        claim.delete(ctx)
    ctx.log("referral_ignored", referral_id=claim.referral_id, reason=reason)
    return RECONCILED


@contextmanager
def deleted_if_nothing_was_created(ctx: Context, claim: Claim) -> Iterator[None]:
    """Delete the claim where it is certain that nothing was created: the next try need not look for it.

    After a refusal it stays until the refusal is reported.
    """
    try:
        yield
    except (Ambiguous, Conflict, Rejected):
        raise
    except CosellError:
        with suppress(StoreError):
            claim.delete(ctx)
        raise


@contextmanager
def claim_account(ctx: Context, keys: Iterable[str]) -> Iterator[bool]:
    """Claim the account's match keys: two deals of one new customer make one account. False: another claim is live."""
    claims: dict[str, Entry[None]] = {}
    try:
        for key in sorted(keys):  # in one order, so that two deals never wait for each other
            claim = ctx.store.claim_account(key, ctx.policy.lease)
            if claim is None:
                break
            claims[key] = claim
        else:
            yield True
            return
        yield False
    finally:
        for key, claim in claims.items():
            with suppress(StoreError):  # the claim ends with its lease anyway
                ctx.store.release_account(key, claim)
