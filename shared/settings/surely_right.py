"""Tell without pydantic that the settings are surely right, and read those of webhook admission.

Importing pydantic and building its models takes more than half of the time from the start of an instance to its first
answer. So a start asks this module first. It knows the usual form of each value, and is never more lenient than the
models of `variables.py`: these stay the one definition, and word every error. Where it is not sure, they decide. A
property test holds both against each other.
"""

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from shared.settings import value_checks as check
from shared.settings.event_values import EventValues, split_list

type Check = Callable[[str], object]
"""Returns the value, or raises ValueError if it is not surely right."""

STORES = ("STORE_TABLES_URL", "STORE_CONNECTION_STRING", "STORE_FILE")
"""Exactly one of these is set."""
_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?"


def _like(pattern: str) -> Check:
    """Return a check for a text of this pattern. The text must be printable ASCII."""
    whole = re.compile(pattern, re.ASCII)

    def checked(value: str) -> str:
        if whole.fullmatch(value) is None:
            raise ValueError
        return value

    return checked


_flag, _text, _digits = _like("(?i:true|false)"), _like(r"[ -~]+"), _like(r"[0-9]{1,7}")
_decimal = _like(r"[0-9]{1,7}(\.[0-9]{1,3})?")


def _within(low: int, high: int) -> Check:
    def checked(value: str) -> int:
        number = int(str(_digits(value)))
        if not low <= number <= high:
            raise ValueError
        return number

    return checked


def _seconds(value: str) -> float:
    number = float(str(_decimal(value)))
    if number > check.DAY:
        raise ValueError
    return number


def _positive(value: str) -> float:
    number = _seconds(value)
    if number <= 0:
        raise ValueError
    return number


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(str(_like(_MOMENT)(value)))


def _texts(*checks: Callable[[str], object]) -> Check:
    """Return a check for a printable text that also passes these rules."""

    def checked(value: str) -> object:
        result: object = _text(value)
        for one in (check.check_resolved, *checks):
            result = one(value)
        return result

    return checked


def _path(*checks: Callable[[Path], Path]) -> Check:
    def checked(value: str) -> Path:
        path = Path(str(_text(value)))
        for one in checks:
            one(path)
        return path

    return checked


def _list(value: str) -> tuple[str, ...]:
    return split_list(str(_text(value)))


_https, _origin, _any_text = _texts(check.check_https), _texts(check.check_origin), _texts()
_schedule = _texts(check.check_schedule)

EVENT_CHECKS: Mapping[str, Check] = {
    "EVENT_CERTIFICATE_ORIGINS": _list,
    "EVENT_ISSUER_ORIGINS": _list,
    "EVENT_DISPATCHER": _any_text,
    "EVENT_ROOTS": _path(check.check_file),
    "EVENT_INTERMEDIATES": _path(check.check_file),
    "EVENT_CERTIFICATES": _path(check.check_file),
    "EVENT_RESOURCE_HOSTS": _list,
    "EVENT_MAX_BYTES": _within(1, 9_999_999),
    "CA_BUNDLE": _path(),
}
"""By variable, as in the tables below. The name of a value is that of its variable without `EVENT_`, in lower case."""

CHECKS: Mapping[str, Check] = {
    "ENVIRONMENT": _like("production|[A-Za-z][A-Za-z0-9-]{0,15}"),
    "SYNC": _like("off|preview|on"),
    "SYNC_FROM": _moment,
    "PUSH_PAUSED": _flag,
    "PULL_PAUSED": _flag,
    "MAPPING": _path(),
    "LEASE_SECONDS": _positive,
    "SETTLE_SECONDS": _seconds,
    "DEADLINE_SECONDS": _positive,
    "IRREVERSIBLE_WAIT_SECONDS": _seconds,
    "HOLD_WIN": _flag,
    "CUSTOMER_CONSENT": _like("settings|checkbox"),
    "LEADS": _like("off|lead|opportunity"),
    "PARALLELISM": _within(1, 64),
    "RUN_SECONDS": _positive,
    "PARTNER_CENTER_URL": _https,
    "PARTNER_CENTER_SCOPE": _https,
    "PARTNER_CENTER_WEBHOOKS_URL": _https,
    "PARTNER_CENTER_WEBHOOKS_SCOPE": _https,
    "PARTNER_CENTER_AUTHORITY": _origin,
    "PARTNER_CENTER_TENANT_ID": _any_text,
    "PARTNER_CENTER_CLIENT_ID": _like(_GUID),
    "PARTNER_CENTER_PUBLIC_CLIENT": _flag,
    "PARTNER_CENTER_TEST_TENANT": _flag,
    "PARTNER_CENTER_ORGANIZATION_ID": _like(_GUID),
    "PARTNER_CENTER_LOCATION": _like("[0-9]{1,12}"),
    "PARTNER_CENTER_QUALIFICATION": _any_text,
    "PARTNER_CENTER_MARKETPLACE_INTENT": _any_text,
    "PARTNER_CENTER_CONSENT_TO_CONTACT": _flag,
    "PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS": _flag,
    "PARTNER_CENTER_CONSENT_TO_CONTACT_SPECIFIC_PARTNERS": _flag,
    "PARTNER_CENTER_REFERRAL_LINK": _texts(check.check_link),
    "SALESFORCE_URL": _origin,
    "SALESFORCE_AUDIENCE": _origin,
    "SALESFORCE_CLIENT_ID": _any_text,
    "SALESFORCE_USERNAME": _any_text,
    "SALESFORCE_API_VERSION": _like(r"[0-9]{2}\.0"),
    "SALESFORCE_KEY_SECRET": _any_text,
    "SALESFORCE_ORGANIZATION_ID": _like("00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?"),
    "KEY_VAULT_URL": _origin,
    "AZURE_CLIENT_ID": _like(_GUID),
    "AZURE_CREDENTIAL": _like("managed|cli"),
    "CA_BUNDLE": _path(check.check_file, check.check_certificates),
    "VAULT_CACHE_SECONDS": _seconds,
    "STORE_TABLES_URL": _https,
    "STORE_CONNECTION_STRING": _texts(check.check_connection_string),
    "STORE_FILE": _path(check.check_new_file),
    "STORE_TABLE": _like("[A-Za-z][A-Za-z0-9]{2,62}"),
    "EVENTS_URL": _https,
    "EVENTS_REGISTER": _flag,
    "MASS_CHANGE_LIMIT": _within(1, 1_000_000),
    "PURGE_AFTER_DAYS": _within(0, 3650),
    "COMPARE_SAMPLE": _within(0, 10_000),
    "BACKUP_CONTAINER": _https,
    "BACKUP_RETENTION_DAYS": _within(1, 3650),
    "EVENTS_QUEUE": _texts(check.check_queue_name),
    "PUSH_SCHEDULE": _schedule,
    "SWEEP_SCHEDULE": _schedule,
    "CREDENTIALS_SCHEDULE": _schedule,
    "COMPARE_SCHEDULE": _schedule,
    "BACKUP_SCHEDULE": _schedule,
}
REQUIRED = frozenset({
    "ENVIRONMENT", "PARTNER_CENTER_TENANT_ID", "PARTNER_CENTER_CLIENT_ID", "PARTNER_CENTER_ORGANIZATION_ID",
    "PARTNER_CENTER_LOCATION", "SALESFORCE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_USERNAME", "KEY_VAULT_URL",
    "AZURE_CLIENT_ID", "EVENTS_QUEUE", "PUSH_SCHEDULE", "SWEEP_SCHEDULE", "CREDENTIALS_SCHEDULE", "COMPARE_SCHEDULE",
    "BACKUP_SCHEDULE",
})  # fmt: skip


def settings_are_right(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the models surely accept all settings, apart from those of webhook admission."""
    values = _checked(CHECKS, environ)
    if values is None or not values.keys() >= REQUIRED:
        return False
    lease = values.get("LEASE_SECONDS", check.LEASE_SECONDS)
    deadline = values.get("DEADLINE_SECONDS", check.DEADLINE_SECONDS)
    return len(values.keys() & STORES) == 1 and lease > 2 * deadline  # type: ignore[operator]  # _positive made both


def event_values(environ: Mapping[str, str] = os.environ) -> EventValues | None:
    """Return the settings of webhook admission; None if the models must read them."""
    values = _checked(EVENT_CHECKS, environ)
    if values is None:
        return None
    return EventValues(**{name.removeprefix("EVENT_").lower(): value for name, value in values.items()})  # type: ignore[arg-type]  # each check makes the type of its value


def _checked(checks: Mapping[str, Check], environ: Mapping[str, str]) -> dict[str, object] | None:
    """Return the values of the variables that are set; None if one of them is not surely right."""
    try:
        return {name: check(value) for name, check in checks.items() if (value := environ.get(name))}
    except ValueError:
        return None
