"""People who set a value back to what it was before their last edit of it.

For the sync, such a value may look as if nobody had touched it.
"""

from collections.abc import Callable
from typing import Any

from tests.simulation.held_values import (
    LOST,
    OPEN,
    PARTNER_CENTER,
    SALESFORCE,
    UNANSWERED,
    WON,
    Edit,
    Record,
    of_opportunity,
    of_referral,
)
from tests.simulation.moves import Entered, Move
from tests.simulation.people import People

STAGES = {UNANSWERED: "On Hold", OPEN: "Qualification", WON: "Closed Won", LOST: "Closed Lost"}


def _last_edit(people: People, side: str, record: str, present: dict[str, str | None]) -> Edit | None:
    """The last edit of a record that still stands and had a value before it."""
    made = [edit for edit in people.edits if edit.side == side and edit.record == record]
    standing = [edit for edit in made if edit.before is not None and present[edit.field] == edit.after]
    return standing[-1] if standing else None


def _in_salesforce(edit: Edit) -> Entered | None:
    match edit.field, edit.before:
        case "money", str(money):
            amount, currency = money.split()
            return {"Amount": float(amount), "CurrencyIsoCode": currency}
        case "closing", day:
            return {"CloseDate": day}
        case "notes", text:
            return {"Description": text}
        case "status", str(status):
            return {"StageName": STAGES[status]}
        case "name", name:
            return {"Name": name}
    return None


def _in_partner_center(edit: Edit) -> Entered | None:
    """A status is not set back there: Partner Center allows no way back."""
    match edit.field, edit.before:
        case "money", str(money):
            amount, currency = money.split()
            return {"details_dealValue": float(amount), "details_currency": currency}
        case "closing", day:
            return {"details_closingDateTime": f"{day}T00:00:00Z"}
        case "notes", text:
            return {"details_notes": text}
        case "name", name:
            return {"name": name}
    return None


def _seller_sets_back(people: People) -> bool:
    record = people.choose(people.opportunities())
    if record is None:
        return False
    edit = _last_edit(people, SALESFORCE, record["Id"], dict(of_opportunity(record)))
    return _saves(people.save_opportunity, record, _in_salesforce(edit) if edit else None)


def _colleague_sets_back(people: People) -> bool:
    record = people.choose([one for one in people.referrals() if one["status"] != "Closed"])
    if record is None:
        return False
    edit = _last_edit(people, PARTNER_CENTER, record["id"], dict(of_referral(record)))
    return _saves(people.save_referral, record, _in_partner_center(edit) if edit else None)


def _saves(save: Callable[[Record, Any], bool], record: Record, values: Entered | None) -> bool:
    return values is not None and save(record, values)


SET_BACK_MOVES = (
    Move("seller sets a value back", 7, _seller_sets_back),
    Move("colleague sets a value back", 6, _colleague_sets_back),
)
