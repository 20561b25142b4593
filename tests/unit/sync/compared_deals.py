"""Deals for the compare of all links, and the ways in which a store can come to differ from both sides."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

from shared.domain.compared import Finding, FindingKind
from shared.domain.deal import Money
from shared.domain.link import Link
from shared.operations.compare import Places, compare_all, run_compare
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, Harness, Instance

DAY = 24 * HOUR


def in_batches_of(size: int) -> Policy:
    """The policy of a compare whose batches are small."""
    return Policy(hold_win=timedelta(), batch=size)


def linked_deals(harness: Harness, count: int) -> list[str]:
    """Deals in step, whose last change is hours ago."""
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]
    let_settle(harness)
    return deals


def let_settle(harness: Harness) -> None:
    """Let every change be worked, and grow older than what a compare leaves out as under way."""
    harness.push_until_quiet()
    harness.sweep()
    harness.advance_time(2 * HOUR)
    harness.push()
    harness.sweep()
    harness.forget_calls()


def found(harness: Harness, *, sample: int = 0, repair: bool = False) -> list[Finding]:
    """What `cosell compare` finds."""
    findings: list[Finding] = []
    ctx = harness.new_instance().ctx
    compare_all(ctx, cast("Places", ctx.store), sample, findings.append, repair=repair)
    return findings


def kinds(harness: Harness, *, sample: int = 0) -> list[tuple[FindingKind, str | None]]:
    """The kinds of what is found, with the opportunities."""
    return [(one.kind, one.opportunity_id) for one in found(harness, sample=sample)]


def compare_daily(instance: Instance, *, after: float = DAY, sample: int = 0) -> None:
    """Run the timer."""
    instance.harness.advance_time(after)
    run_compare(instance.ctx, cast("Places", instance.ctx.store), sample)


def change_link(harness: Harness, deal: str, **values: object) -> Link:
    """Let the store hold another link than the sync has stored."""
    entry = harness.store.link(deal)
    assert entry is not None
    return harness.store.replace_link(entry, replace(entry.value, **values)).value  # type: ignore[arg-type]  # fields of a link


def believe_amount(harness: Harness, deal: str, amount: int) -> None:
    """Let the store believe that both sides agreed on an amount, at the versions that they have now."""
    base = harness.stored_link(deal).base.with_values({"money": Money(Decimal(amount), "USD")})
    change_link(harness, deal, base=base, etag=harness.referral_of(deal)["eTag"], agreed=True)


def hide_while(harness: Harness, act: Callable[[], object]) -> None:
    """Act while the sync user does not see the opportunities, until the poll's cursor has passed the save."""
    models = harness.salesforce.org.sharing.models
    models["Opportunity"] = "Private"
    act()
    for _ in range(2):
        harness.advance_time(HOUR)
        harness.push()
    models.clear()
    harness.push()


def miss_colleague_edit(harness: Harness, deal: str, amount: int) -> None:
    """A colleague edits the amount; its event is lost, and the sweep has passed it by."""
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=amount)
    harness.advance_time(2 * HOUR)
    harness.store.move_cursor("sweep", harness.now())
    harness.sweep()
    harness.forget_calls()


def amounts(harness: Harness, deal: str) -> tuple[object, object]:
    """The amount in Salesforce and in Partner Center."""
    return harness.opportunity(deal)["Amount"], harness.referral_of(deal)["details"]["dealValue"]


def repair(harness: Harness, *, sample: int = 0) -> None:
    """Run `cosell compare --repair`, and let the app work what it leaves."""
    found(harness, sample=sample, repair=True)
    harness.push()
    harness.push()
