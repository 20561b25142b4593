"""Write log events, and keep secrets and personal data out of the logs.

`log("push_done", settled=3, …)` writes one line of JSON to the logger `cosell`. Every event has a name and fixed
fields, listed in `EVENTS` and in docs/events.md. The fields hold ids, codes, counts and hashes only, never personal
data (docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs). An unknown or missing field is a programming error
and raises at once. A code or a field that a service named is shown only in a shape of `shared.foundation.known_shapes`.
`quiet` mutes libraries that would log secrets; `shared/foundation/redacted.py` redacts values.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from shared.foundation.known_shapes import known_call_id, known_code, known_field

CURRENT_RUN: ContextVar[str | None] = ContextVar("current_run", default=None)
"""The id of the run that the present work belongs to, for the log lines of clients; None outside of a run."""

LOGGER = logging.getLogger("cosell")

LIBRARY_LEVELS: Mapping[str, int] = {
    "azure": logging.WARNING,
    "charset_normalizer": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "msal": logging.WARNING,
    "msal_extensions": logging.WARNING,
    "requests": logging.WARNING,
    "requests_toolbelt": logging.WARNING,
    "simple_salesforce": logging.WARNING,
    "urllib3": logging.WARNING,
    "zeep": logging.WARNING,
}
"""The lowest level that each library may log. Below it they write addresses, headers, claims or call arguments."""

SHAPES: Mapping[str, Callable[[Any], object]] = {
    "code": known_code,
    "field": known_field,
    "cause": known_code,
    "causes": lambda codes: [known_code(code) for code in codes],
    "sent_id": known_call_id,
    "answer_id": known_call_id,
    "call_id": known_call_id,
}
"""What a field of an event may hold that can come from outside."""

EVENTS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    # webhook admission
    "event_accepted": (logging.INFO, ("name", "event_id", "referral_id", "repeated")),
    "event_refused": (logging.WARNING, ("status", "reason", "defect")),
    "event_tested": (logging.INFO, ("correlation_id",)),
    "event_not_understood": (logging.WARNING, ("event_id", "reason")),
    # start
    "start_failed": (logging.ERROR, ("error", "names")),
    "mapping_rechecked": (logging.INFO, ("reason",)),
    "clock_differs": (logging.WARNING, ("seconds",)),
    # runs
    "push_done": (logging.INFO, ("seen", "settled", "due", "held", "parked", "seconds", "correlation_id")),
    "sweep_done": (logging.INFO, ("seen", "settled", "due", "held", "parked", "seconds", "correlation_id")),
    "claim_purged": (logging.WARNING, ("referral_id",)),
    "purge_done": (logging.INFO, ("count", "due", "seconds", "correlation_id")),
    "run_skipped": (logging.INFO, ("run", "reason")),
    "run_failed": (logging.ERROR, ("run", "error", "code", "field", "call_id", "correlation_id")),
    "compare_found": (
        logging.WARNING,
        ("kind", "opportunity_id", "referral_id", "other", "fields", "correlation_id"),
    ),
    "compare_done": (
        logging.INFO,
        (
            "complete",
            "links",
            "referrals",
            "sampled",
            "drift",
            "duplicates",
            "missing",
            "unlinked",
            "news",
            "seconds",
            "correlation_id",
        ),
    ),
    "previewed": (
        logging.INFO,
        ("run", "creates", "adopts", "to_partner_center", "to_salesforce", "held", "needs_approval", "left"),
    ),
    "store_copied": (logging.INFO, ("rows", "seconds", "deleted")),
    "operator_action": (logging.INFO, ("action", "scope", "operator")),
    "mapping_unapproved": (logging.WARNING, ("fields",)),
    "mass_change_stopped": (
        logging.ERROR,
        ("kind", "side", "field", "count", "limit", "since", "examples", "correlation_id"),
    ),
    "unsynced": (logging.INFO, ("count", "oldest_seconds")),
    "package_differs": (logging.WARNING, ("package", "missing")),
    "wrong_organization": (logging.ERROR, ("reason", "organization")),
    "salesforce_budget": (logging.INFO, ("used", "total")),
    # pairs
    "referral_created": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "referral_patched": (logging.INFO, ("opportunity_id", "referral_id", "fields", "correlation_id")),
    "path_refused": (logging.WARNING, ("paths", "code", "correlation_id")),
    "lists_differ": (logging.ERROR, ("referral_ids", "fields", "correlation_id")),
    "referral_adopted": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "help_request": (logging.INFO, ("opportunity_id", "referral_id", "outcome", "correlation_id")),
    "referral_ignored": (logging.INFO, ("referral_id", "reason")),
    "lead_followed": (logging.INFO, ("referral_id", "lead_id", "outcome", "correlation_id")),
    "related_referral_heard": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "related_referral_ignored": (logging.INFO, ("referral_id", "reason")),
    "referral_missing": (logging.WARNING, ("referral_id",)),
    "referral_incomplete": (logging.INFO, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "opportunity_created": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "own_column_set_back": (logging.WARNING, ("opportunity_id", "field", "correlation_id")),
    "name_mark_refused": (logging.WARNING, ("opportunity_id", "code", "field", "correlation_id")),
    "opportunity_written": (logging.INFO, ("opportunity_id", "referral_id", "fields", "correlation_id")),
    "answer_due": (logging.WARNING, ("opportunity_id", "referral_id", "days", "correlation_id")),
    "opportunity_deleted": (logging.WARNING, ("opportunity_id", "referral_id", "correlation_id")),
    "opportunity_hidden": (logging.WARNING, ("opportunity_id", "referral_id", "correlation_id")),
    "column_hidden": (logging.WARNING, ("column",)),
    "opportunity_held": (logging.INFO, ("opportunity_id", "causes", "correlation_id")),
    "clones_unseen": (logging.WARNING, ("code", "correlation_id")),
    "pair_due": (logging.INFO, ("side", "key", "cause", "attempts", "correlation_id")),
    "pair_parked": (logging.WARNING, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "deal_not_made": (logging.WARNING, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "owner_passed_over": (logging.INFO, ("opportunity_id", "referral_id", "code", "correlation_id")),
    "owner_not_told": (logging.WARNING, ("opportunity_id", "code", "correlation_id")),
    "inbox_refused": (logging.WARNING, ("key", "code", "field", "correlation_id")),
    "pair_failed": (logging.ERROR, ("key", "error", "code", "field", "where", "call_id", "correlation_id")),
    "row_unreadable": (logging.ERROR, ("row", "key", "problem", "remedy")),
    "event_poisoned": (logging.ERROR, ("event_id", "referral_id")),
    # calls to a side
    "remote_written": (logging.INFO, ("side", "call", "keys", "sent_id", "answer_id", "correlation_id")),
    "remote_failed": (
        logging.WARNING,
        ("side", "call", "keys", "error", "status", "code", "field", "sent_id", "answer_id", "correlation_id"),
    ),
    # sides and sign-in
    "credentials_kept": (
        logging.INFO,
        ("refresh_token_age_days", "certificate_days_left", "secret_days_left", "mfa", "role"),
    ),
    "credential_ending": (logging.WARNING, ("name", "days_left")),
    "side_paused": (logging.WARNING, ("side", "reason", "seconds")),
    "side_still_paused": (logging.WARNING, ("side", "reason", "seconds")),
    "sign_in_failed": (logging.ERROR, ("side", "code", "call_id")),
    "registration_kept": (logging.INFO, ("outcome",)),
    "registration_foreign": (logging.WARNING, ("host",)),
    "registration_missing": (logging.WARNING, ()),
    "refresh_token_not_stored": (logging.ERROR, ("name", "error")),
}


_NAMES = {event: frozenset(names) for event, (_, names) in EVENTS.items()}
_SHAPED = {event: tuple(name for name in names if name in SHAPES) for event, (_, names) in EVENTS.items()}
_ENCODER = json.JSONEncoder(default=str)
"""Made once: `json.dumps` would make one for each line."""


class EventLog:
    """Writes log events; implements `shared.sync.ports.Log`."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write one event. Raises KeyError for an unknown event, ValueError for wrong fields."""
        level, names = EVENTS[event]
        if fields.keys() != _NAMES[event]:
            raise ValueError(f"{event} has the fields {names}, not {tuple(fields)}")
        for name in _SHAPED[event]:
            fields[name] = SHAPES[name](fields[name])
        LOGGER.log(level, "%s", _ENCODER.encode({"event": event, **fields}))


def failure_fields(error: Exception, correlation_id: str | None) -> dict[str, object]:
    """Return an error as fields of a log event: its class, the service's code and field, and the ids of call and run.

    The text of the error is left out: it may quote a service.
    """
    # The minimal app logs too, where the errors of the product cannot be imported.
    code, field = getattr(error, "reason_codes", (None, None))
    reasons = {"error": type(error).__name__, "code": code, "field": field}
    return {**reasons, "call_id": getattr(error, "call_id", None), "correlation_id": correlation_id}


def quiet() -> None:
    """Mute the detailed lines of the libraries, which would put addresses and keys into the logs.

    Whoever has set one part of a library to a lower level is overruled.
    """
    parts = [(name, name.partition(".")[0]) for name in logging.root.manager.loggerDict]
    for name, level in [*LIBRARY_LEVELS.items(), *((part, LIBRARY_LEVELS.get(library)) for part, library in parts)]:
        logger = logging.getLogger(name)
        if level is not None and logger.getEffectiveLevel() < level:
            logger.setLevel(level)


log = EventLog()
