"""JSON Patch as the service takes it: an allow-list of paths, one-way moves, all or nothing (5.3, 6)."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.partner_center import value_checks
from emulators.partner_center.create import effective_type
from emulators.partner_center.referral_shape import Json, canonical_path, fold, visible
from emulators.partner_center.service_errors import ServiceError, invalid, not_emulated
from emulators.partner_center.switches import Switches

SOLUTIONS, CUSTOMER_TEAM = "details/requirements/solutions", "customerProfile/team"
PATHS: Mapping[str, value_checks.Check] = {
    "campaignId": value_checks.text,
    "consent/consentToShareReferralWithMicrosoftSellers": value_checks.true,
    CUSTOMER_TEAM: value_checks.members,
    f"{CUSTOMER_TEAM}/-": value_checks.item,
    "details/closingDateTime": value_checks.moment,
    "details/currency": value_checks.currency,
    "details/dealValue": value_checks.amount,
    "details/notes": value_checks.text,
    SOLUTIONS: value_checks.solutions,
    f"{SOLUTIONS}/-": value_checks.item,
    "externalReferenceId": value_checks.text,
    "referralProgram": value_checks.text,
    "salesStage": value_checks.choice(None, *value_checks.SALES_STAGES),
    "status": value_checks.choice(*value_checks.SUBSTATUS),
    "substatus": value_checks.choice(*(s for several in value_checks.SUBSTATUS.values() for s in several)),
    "statusReason": value_checks.text,
    "team": value_checks.team,
    "team/-": value_checks.item,
}
MOVES = {"New": ("New", "Active", "Closed"), "Active": ("Active", "Closed"), "Closed": ("Closed",)}
WITH_REASON = ("Declined", "Lost", "Error")


@dataclass(frozen=True, slots=True)
class Operation:
    """One checked operation; `path` without slash in front, `append` for a path that ends in `/-`."""

    path: str
    append: bool
    value: Any


def patched(record: Json, operations: object, switches: Switches) -> Json:
    """A new record with all operations applied; the old one is untouched. Raises ServiceError."""
    if record["status"] == "Closed":
        raise invalid("A closed referral cannot be changed.", target="status", inner="invalidTransition")
    result = copy.deepcopy(record)
    wanted = read(operations, switches)
    for operation in wanted:
        _apply(result, operation)
    _check_people(record, result, {o.path for o in wanted}, switches)
    check_move(record, result, switches)
    result["type"] = effective_type(result)
    return result


def read(operations: object, switches: Switches) -> list[Operation]:
    """Check the array, each operation, each path and each value. Raises ServiceError."""
    if not isinstance(operations, list) or not operations:
        raise invalid("The body must be a JSON Patch array with at least one operation.", target="body")
    return [_read_one(item, switches) for item in operations]


def _read_one(item: object, switches: Switches) -> Operation:
    given = fold(item)
    if not isinstance(given, dict) or not isinstance(given.get("path"), str) or "value" not in given:
        raise invalid("An operation has op, path and value.", target="body")
    if given.get("op") not in ("add", "replace"):
        raise invalid("Only the operations add and replace are supported.", target="op")
    return _checked(given["op"], canonical_path(given["path"]), given["value"], switches)


def _checked(op: str, path: str, value: object, switches: Switches) -> Operation:
    name = path.removeprefix("/")
    append = name.endswith("/-")
    if name.startswith("registrations"):
        raise not_emulated("Deal registration")
    check = PATHS.get(name) or (value_checks.text if path in switches.extra_paths else None)
    if check is None or not path.startswith("/"):
        raise _unpatchable(path)
    if append and op != "add":
        raise invalid("An item is appended with add.", target=path)
    bare = name.removesuffix("/-")
    return Operation(bare, append, check(bare, value))


def _unpatchable(path: str) -> ServiceError:
    return invalid(f"The path '{path}' cannot be patched.", target=path, inner="pathNotAllowed")


def _apply(record: Json, operation: Operation) -> None:
    *way, last = operation.path.split("/")
    here: Any = record
    for part in way:
        here = here.get(part) if isinstance(here, dict) else None
    if not isinstance(here, dict):  # a record written raw may lack the place
        raise _unpatchable(f"/{operation.path}")
    if operation.append:
        here[last] = [*(here.get(last) or ()), operation.value]
    else:
        here[last] = operation.value


def _check_people(before: Json, after: Json, touched: set[str], switches: Switches) -> None:
    if CUSTOMER_TEAM in touched and visible(before):
        raise invalid("The customer contact is locked once the deal is shared.", target=CUSTOMER_TEAM, inner="locked")
    if SOLUTIONS in touched:
        value_checks.solutions(SOLUTIONS, after["details"]["requirements"]["solutions"])
    for path, people in (("team", after["team"]), (CUSTOMER_TEAM, after["customerProfile"]["team"])):
        if path in touched:
            value_checks.members(path, people)
            value_checks.whole_contacts(path, people, complete=switches.demand_complete)


def check_move(before: Json, after: Json, switches: Switches) -> None:
    """The transition table of 6.1 and the switches of 6.2 and 6.3. Raises ServiceError."""
    old, new, substatus = before["status"], after["status"], after["substatus"]
    changed = (old, before["substatus"]) != (new, substatus)
    if changed and (new not in MOVES.get(old, ()) or substatus not in value_checks.SUBSTATUS[new]):
        raise _move(f"{old}/{before['substatus']} cannot become {new}/{substatus}.")
    if changed and (substatus == "Expired" or (substatus == "Error" and not switches.error_substatus)):
        raise _move(f"The substatus {substatus} cannot be set.")
    if switches.answer_before_closing and old == "New" and substatus in ("Won", "Lost"):
        raise _move("A new referral is accepted before it is closed.")
    if switches.demand_reasons and changed and substatus in WITH_REASON and not after["statusReason"]:
        raise invalid("A reason is required.", target="statusReason")


def _move(message: str) -> ServiceError:
    return invalid(message, target="status", inner="invalidTransition")
