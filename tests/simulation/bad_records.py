"""Rules of the org that refuse a value of one deal for good, and stay in force after the storm.

Source: docs/protocol.md#rule-7-one-bad-record-harms-no-other.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emulators.salesforce.data.hooks import ValidationRule
from shared.foundation.errors import UnreadableRow
from tests.simulation.judges.bad_records import Parked, Refused, judge_refused
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People

BAD = "rules that refuse a value for good"
RULES = {
    "money": Refused("Amount", "Amount", "The board decides on amounts."),
    "closing": Refused("Close Date", "CloseDate", "The board decides on dates."),
    "notes": Refused("Description", "Description", "The board decides on texts."),
}
REMEDY = "Change the record so that the validation rule is met."


def _adds_a_rule(people: People) -> bool:
    linked = [one for one in people.opportunities() if one[TICK] and one["Referral_Identifier__c"]]
    record = people.choose([one for one in linked if one["Id"] not in people.ruled])
    if record is None:
        return False
    people.ruled[record["Id"]] = people.chance.choice(list(RULES))
    keep_rules(people)
    return True


def _removes_a_rule(people: People) -> bool:
    if not people.ruled:
        return False
    people.ruled.pop(people.chance.choice(list(people.ruled)))
    keep_rules(people)
    return True


BAD_MOVES = (
    Move("administrator adds a rule", 70, _adds_a_rule, "", BAD),
    Move("administrator removes a rule", 15, _removes_a_rule, "", BAD),
)


def keep_rules(people: People) -> None:
    """Put the rules in force, and no other ones of ours."""
    rules, reasons = people.harness.salesforce.org.hooks.rules, {rule.reason for rule in RULES.values()}
    rules[:] = [rule for rule in rules if rule.message not in reasons]
    for deal, name in people.ruled.items():
        rules.append(ValidationRule("Opportunity", RULES[name].column, RULES[name].reason, deal))


def without_refused(people: People, writes: Sequence[Any]) -> list[Any]:
    """The writes without those that a rule refuses: they are tried again each hour, and change nothing."""
    columns = {deal: RULES[name].column for deal, name in people.ruled.items()}
    return [one for one in writes if not any(deal in one[1] and columns[deal] in (one[2] or ()) for deal in columns)]


def judge_differences(people: People, findings: Iterable[str]) -> Iterator[str]:
    """The findings; in place of a difference that a rule explains, what is wrong with the way it is told."""
    deals = {record["Id"]: record for record in people.opportunities()}
    for finding in findings:
        ruled = [key for key, name in people.ruled.items() if finding.startswith(f"differs: {name} of {key}:")]
        yield from [] if ruled else [finding]
        for key in ruled:
            yield from judge_refused(deals[key], RULES[people.ruled[key]], _parked(people, key))


def _parked(people: People, deal: str) -> Parked:
    """What the store has of the refused value. Of several causes, the link keeps the last."""
    try:
        entry, rule = people.harness.store.link(deal), RULES[people.ruled[deal]]
    except UnreadableRow:
        return Parked()
    record = entry.value.refused.get(f"salesforce.{people.ruled[deal]}") if entry else None
    if entry is None or entry.value.cause is None or record is None:
        return Parked()
    cause = entry.value.cause
    if cause.reason != rule.reason:
        return Parked(record.code, rule.column, rule.reason, REMEDY)
    return Parked(cause.code, cause.field, cause.reason, cause.remedy)
