"""Apply a JSON Patch as the service does: only listed paths, only allowed changes of the status, all or nothing.

Sources: docs/reference/partner-center.md#patch-paths, docs/reference/partner-center.md#status-model,
docs/reference/partner-center.md#fields-that-lock
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.partner_center import closing_reasons, help_request, value_checks
from emulators.partner_center.create import effective_type
from emulators.partner_center.referral_shape import Json, canonical_path, fold_names, is_visible_to_microsoft
from emulators.partner_center.service_errors import ServiceError, invalid_request, not_emulated
from emulators.partner_center.switches import Switches

SOLUTIONS, CUSTOMER_TEAM = "details/requirements/solutions", "customerProfile/team"
HELP_CODE, HELP_NOTES = "inviteContext/assistanceRequestCode", "inviteContext/notes"
LOCKED_BY_SHARING = (CUSTOMER_TEAM, HELP_CODE, HELP_NOTES)  # docs/reference/partner-center.md#fields-that-lock
PATHS: Mapping[str, value_checks.Check] = {
    "campaignId": value_checks.check_text,
    "consent/consentToShareReferralWithMicrosoftSellers": value_checks.check_true,
    CUSTOMER_TEAM: value_checks.check_members,
    f"{CUSTOMER_TEAM}/-": value_checks.check_item,
    "details/closingDateTime": value_checks.check_time,
    "details/currency": value_checks.check_currency,
    "details/dealValue": value_checks.check_amount,
    "details/notes": value_checks.check_text,
    SOLUTIONS: value_checks.check_solutions,
    f"{SOLUTIONS}/-": value_checks.check_item,
    "externalReferenceId": value_checks.check_text,
    "referralProgram": value_checks.check_text,
    "salesStage": value_checks.one_of(None, *value_checks.SALES_STAGES),
    "status": value_checks.one_of(*value_checks.SUBSTATUS),
    "substatus": value_checks.one_of(*(s for several in value_checks.SUBSTATUS.values() for s in several)),
    "statusReason": value_checks.check_text,
    "team": value_checks.check_team,
    "team/-": value_checks.check_item,
}
TRANSITIONS = {"New": ("New", "Active", "Closed"), "Active": ("Active", "Closed"), "Closed": ("Closed",)}
REGISTRATION = "Deal registration"
EXTRA_CHECKS: Mapping[str, value_checks.Check] = {
    HELP_CODE: value_checks.one_of(value_checks.NO_HELP, *value_checks.HELP_CODES),
    "details/requirements/additionalRequirements/attributes": value_checks.check_attributes,
}
"""The checks of paths that only the switch `extra_paths` allows; any other such path takes text."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One checked operation. `path` has no slash at the beginning; `append` stands for a path that ended in `/-`."""

    path: str
    append: bool
    value: Any


def apply_patch(record: Json, operations: object, switches: Switches) -> Json:
    """Return a new record with all operations applied; `record` stays as it is. Raises ServiceError."""
    if record["status"] == "Closed":
        if record["substatus"] == "Won" and _registers(operations):
            raise not_emulated(REGISTRATION)
        raise invalid_request("A closed referral cannot be changed.", target="status", inner="invalidTransition")
    result = copy.deepcopy(record)
    checked = read_operations(operations, switches)
    _check_locks(record, {o.path for o in checked})
    for operation in checked:
        _apply_operation(result, operation)
    touched = {o.path for o in checked}
    _check_people(result, touched, switches)
    if HELP_CODE in touched and help_request.asks_for_help(result):
        help_request.check_help_is_possible(result)
    check_transition(record, result, switches)
    result["type"] = effective_type(result)
    return result


def read_operations(operations: object, switches: Switches) -> list[Operation]:
    """Return the operations after a check of the array, each path and each value. Raises ServiceError."""
    if not isinstance(operations, list) or not operations:
        raise invalid_request("The body must be a JSON Patch array with at least one operation.", target="body")
    return [_read_operation(item, switches) for item in operations]


def _read_operation(item: object, switches: Switches) -> Operation:
    operation = fold_names(item)
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str) or "value" not in operation:
        raise invalid_request("An operation has op, path and value.", target="body")
    if operation.get("op") not in ("add", "replace"):
        raise invalid_request("Only the operations add and replace are supported.", target="op")
    return _check_operation(operation["op"], canonical_path(operation["path"]), operation["value"], switches)


def _check_operation(op: str, path: str, value: object, switches: Switches) -> Operation:
    name = path.removeprefix("/")
    append = name.endswith("/-")
    if _is_registration(path):
        raise not_emulated(REGISTRATION)
    extra = EXTRA_CHECKS.get(name, value_checks.check_text) if path in switches.extra_paths else None
    check = PATHS.get(name) or extra
    if check is None or not path.startswith("/"):
        raise _not_patchable(path)
    if append and op != "add":
        raise invalid_request("An item is appended with add.", target=path)
    bare = name.removesuffix("/-")
    return Operation(bare, append, check(bare, value))


def _registers(operations: object) -> bool:
    """Return whether a patch changes nothing but the deal's registrations.

    Source: docs/reference/partner-center.md#deal-registration
    """
    items = fold_names(operations) if isinstance(operations, list) else []
    paths = [item.get("path") if isinstance(item, dict) else None for item in items]
    return bool(paths) and all(isinstance(path, str) and _is_registration(canonical_path(path)) for path in paths)


def _is_registration(path: str) -> bool:
    return path.split("/")[1:2] == ["registrations"]


def _not_patchable(path: str) -> ServiceError:
    return invalid_request(f"The path '{path}' cannot be patched.", target=path, inner="pathNotAllowed")


def _apply_operation(record: Json, operation: Operation) -> None:
    *parents, last = operation.path.split("/")
    holder: Any = record
    for part in parents:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):  # a record that was written raw may lack the object
        raise _not_patchable(f"/{operation.path}")
    if operation.append:
        holder[last] = [*(holder.get(last) or ()), operation.value]
    else:
        holder[last] = operation.value


def _check_locks(before: Json, touched: set[str]) -> None:
    locked = [path for path in LOCKED_BY_SHARING if path in touched]
    if locked and is_visible_to_microsoft(before):
        raise invalid_request(f"'{locked[0]}' is locked once the deal is shared.", target=locked[0], inner="locked")


def _check_people(after: Json, touched: set[str], switches: Switches) -> None:
    if SOLUTIONS in touched:
        value_checks.check_solutions(SOLUTIONS, after["details"]["requirements"]["solutions"])
    for path, people in (("team", after["team"]), (CUSTOMER_TEAM, after["customerProfile"]["team"])):
        if path in touched:
            value_checks.check_members(path, people)
            value_checks.check_contacts(path, people, complete=switches.demand_complete)


def check_transition(before: Json, after: Json, switches: Switches) -> None:
    """Check a change of status and substatus against the table and the switches. Raises ServiceError.

    Sources: docs/reference/partner-center.md#status-transitions, docs/reference/partner-center.md#substatus-meanings,
    docs/reference/partner-center.md#status-changes-as-patches
    """
    old, new, substatus = before["status"], after["status"], after["substatus"]
    changed = (old, before["substatus"]) != (new, substatus)
    if changed and (new not in TRANSITIONS.get(old, ()) or substatus not in value_checks.SUBSTATUS[new]):
        raise _invalid_transition(f"{old}/{before['substatus']} cannot become {new}/{substatus}.")
    if changed and (substatus == "Expired" or (substatus == "Error" and not switches.error_substatus)):
        raise _invalid_transition(f"The substatus {substatus} cannot be set.")
    if switches.answer_before_closing and old == "New" and substatus in ("Won", "Lost"):
        raise _invalid_transition("A new referral is accepted before it is closed.")
    if changed and substatus == "Declined" and old != "New" and not switches.decline_accepted:
        raise _invalid_transition("Only a deal that waits for an answer can be declined.")
    if changed:
        needed, listed = switches.demand_reasons, switches.listed_reasons
        closing_reasons.check_reason(substatus, after["statusReason"], needed=needed, listed=listed)


def _invalid_transition(message: str) -> ServiceError:
    return invalid_request(message, target="status", inner="invalidTransition")
