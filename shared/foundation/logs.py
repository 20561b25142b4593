"""Write log events, and keep secrets and personal data out of the logs.

`log("push_done", settled=3, …)` writes one line of JSON to the logger `cosell`. Every event has a name and fixed
fields, listed in `EVENTS` and in docs/events.md. The fields hold ids, codes, counts and hashes only, never personal
data (docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs). An unknown or missing field is a programming error
and raises at once. `quiet` mutes libraries that would log secrets; `shared/foundation/redacted.py` redacts values.
"""

import json
import logging
from collections.abc import Mapping

LOGGER = logging.getLogger("cosell")

LIBRARY_LEVELS: Mapping[str, int] = {
    "azure": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "msal": logging.WARNING,
    "stamina": logging.ERROR,
    "urllib3": logging.WARNING,
}
"""The lowest level that each library may log. Below it they write addresses, headers, claims or call arguments."""

EVENTS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    # webhook admission
    "event_accepted": (logging.INFO, ("name", "referral_id", "repeated")),
    "event_refused": (logging.WARNING, ("status", "reason", "defect")),
    "event_tested": (logging.INFO, ("correlation_id",)),
    "event_not_understood": (logging.WARNING, ("event_id", "reason")),
    # start
    "start_failed": (logging.ERROR, ("error", "names")),
    # runs
    "push_done": (logging.INFO, ("seen", "settled", "due", "held", "parked", "seconds", "correlation_id")),
    "sweep_done": (logging.INFO, ("seen", "settled", "due", "held", "parked", "seconds", "correlation_id")),
    "run_skipped": (logging.INFO, ("run", "reason")),
    "run_failed": (logging.ERROR, ("run", "error")),
    "previewed": (logging.INFO, ("run", "creates", "to_partner_center", "to_salesforce", "held")),
    "unsynced": (logging.INFO, ("count", "oldest_seconds")),
    "package_differs": (logging.WARNING, ("package", "missing")),
    "salesforce_budget": (logging.INFO, ("used", "total")),
    # pairs
    "referral_created": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "referral_patched": (logging.INFO, ("opportunity_id", "referral_id", "fields", "correlation_id")),
    "referral_adopted": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "referral_ignored": (logging.INFO, ("referral_id", "reason")),
    "referral_missing": (logging.WARNING, ("referral_id",)),
    "referral_incomplete": (logging.INFO, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "opportunity_created": (logging.INFO, ("opportunity_id", "referral_id", "correlation_id")),
    "opportunity_written": (logging.INFO, ("opportunity_id", "referral_id", "fields", "correlation_id")),
    "opportunity_missing": (logging.WARNING, ("opportunity_id",)),
    "column_hidden": (logging.WARNING, ("column",)),
    "opportunity_held": (logging.INFO, ("opportunity_id", "causes", "correlation_id")),
    "pair_due": (logging.INFO, ("side", "key", "cause", "attempts", "correlation_id")),
    "pair_parked": (logging.WARNING, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "deal_not_made": (logging.WARNING, ("opportunity_id", "referral_id", "code", "field", "correlation_id")),
    "inbox_refused": (logging.WARNING, ("key", "code", "field", "correlation_id")),
    "pair_failed": (logging.ERROR, ("key", "error", "where", "correlation_id")),
    "row_unreadable": (logging.ERROR, ("row", "key", "problem", "remedy")),
    "event_poisoned": (logging.ERROR, ("referral_id",)),
    # sides and sign-in
    "credentials_kept": (
        logging.INFO,
        ("refresh_token_age_days", "certificate_days_left", "secret_days_left", "mfa", "role"),
    ),
    "credential_ending": (logging.WARNING, ("name", "days_left")),
    "side_paused": (logging.WARNING, ("side", "reason", "seconds")),
    "side_still_paused": (logging.WARNING, ("side", "reason", "seconds")),
    "sign_in_failed": (logging.ERROR, ("side", "code")),
    "registration_kept": (logging.INFO, ("outcome",)),
    "registration_foreign": (logging.WARNING, ("host",)),
    "registration_missing": (logging.WARNING, ()),
    "refresh_token_not_stored": (logging.ERROR, ("name", "error")),
}


class EventLog:
    """Writes log events; implements `shared.sync.ports.Log`."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write one event. Raises KeyError for an unknown event, ValueError for wrong fields."""
        level, names = EVENTS[event]
        if set(fields) != set(names):
            raise ValueError(f"{event} has the fields {names}, not {tuple(fields)}")
        LOGGER.log(level, "%s", json.dumps({"event": event, **fields}, default=str))


def quiet() -> None:
    """Mute the detailed lines of the libraries, which would put addresses and keys into the logs."""
    for name, level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)


log = EventLog()
