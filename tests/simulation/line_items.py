"""Line items of a deal: Salesforce computes the amount from them, and ignores a written one without an error.

Sources: docs/reference/salesforce.md#opportunity, docs/protocol.md#confirmed-means-seen.

A seller's change of the line items travels as any new amount. An amount of a colleague cannot arrive: it is told.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from tests.simulation.held_values import OPEN, Record, of_opportunity, of_referral
from tests.simulation.judges.ignored_values import judge_ignored
from tests.simulation.moves import Move
from tests.simulation.people import People

LINE_ITEMS = "line items that decide the amount"
COMPUTED, CURRENCY = "HasOpportunityLineItem", "CurrencyIsoCode"


def _changes_line_items(people: People) -> bool:
    """A seller adds line items, or changes them: the amount is their new sum."""
    record = people.choose(people.opportunities())
    return record is not None and _save(people, record, people.amount())


def _removes_line_items(people: People) -> bool:
    """A seller removes all line items: the amount stays, and can be written again."""
    record = people.choose([one for one in people.opportunities() if one[COMPUTED]])
    return record is not None and _save(people, record, None)


def _save(people: People, record: Record, amount: float | None) -> bool:
    save = partial(people.harness.salesforce.set_line_items, record["Id"], amount, present=amount is not None)
    return people.save_opportunity(record, {}, save)


def _colleague_changes_amount(people: People) -> bool:
    """A colleague changes an amount that cannot arrive."""
    computed = [(one, people.referral_of(one)) for one in people.opportunities() if one[COMPUTED]]
    record = people.choose([theirs for ours, theirs in computed if theirs is not None and _is_agreed(ours, theirs)])
    return record is not None and people.save_referral(record, {"details_dealValue": people.amount()})


def _is_agreed(ours: Record, theirs: Record) -> bool:
    values, known = of_opportunity(ours), of_referral(theirs)
    return values["money"] == known["money"] and values["status"] == known["status"] == OPEN


def begin_with_line_items(people: People) -> None:
    """Most of the first deals have line items already: both sides have their sum before anybody edits it."""
    if LINE_ITEMS in people.also:
        for record in [one for one in people.opportunities() if one["Amount"] is not None]:
            people.harness.salesforce.set_line_items(record["Id"], record["Amount"])


LINE_ITEM_MOVES = (
    Move("seller changes the line items", 30, _changes_line_items, "money", LINE_ITEMS),
    Move("colleague changes an amount that line items decide", 60, _colleague_changes_amount, "money", LINE_ITEMS),
    Move("seller removes the line items", 6, _removes_line_items, "", LINE_ITEMS),
)


def without_ignored(people: People, writes: Sequence[Any]) -> list[Any]:
    """The writes without those of a currency that cannot change: they are tried again each hour, and change nothing."""
    computed = [record["Id"] for record in people.opportunities() if record[COMPUTED]]
    return [one for one in writes if not any(key in one[1] and CURRENCY in (one[2] or ()) for key in computed)]


def judge_computed(people: People, findings: Iterable[str]) -> Iterator[str]:
    """The findings; in place of an amount that differs because line items decide it, what is wrong with its telling."""
    deals = {record["Id"]: record for record in people.opportunities() if record[COMPUTED]}
    for finding in findings:
        computed = [key for key in deals if finding.startswith(f"differs: money of {key}:")]
        yield from [] if computed else [finding]
        for key in computed:
            referral = people.referral_of(deals[key])
            theirs = of_referral(referral)["money"] if referral else None
            yield from judge_ignored(deals[key], of_opportunity(deals[key])["money"], theirs)
