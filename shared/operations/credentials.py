"""Keep the connector signed in: redeem and store the refresh token every day, and report credentials that end soon.

A refresh token ends 90 days after its last redemption, and each redemption returns a new one that must be stored
(docs/reference/partner-center.md#refresh-tokens). Certificates and client secrets end on a fixed date. So this run
redeems the token for both APIs once a day, in every mode. It also checks MFA and the role as Partner Center sees them,
reports what ends soon, and repairs the registration for events.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

from shared.app import App
from shared.clients.key_vault.credential_ends import WARNING_DAYS, read_credential_end
from shared.foundation.errors import CosellError, NotFound, SignInFailed
from shared.foundation.logs import CURRENT_RUN, failure_fields, log

if TYPE_CHECKING:
    from shared.clients.partner_center.sign_in import SecretNames

RUN = "credentials"
CREDENTIALS_DONE, ENDS = "credentials_done", "ends|"
"""The cursor of the last run, and the start of those that say when each secret ends (`cosell status`)."""
MFA_CODE = "900421"

REFRESH_TOKEN_LIFE = timedelta(days=90)
"""The validity of an unused refresh token (docs/reference/partner-center.md#refresh-tokens)."""
DAY = timedelta(days=1)


def renew_credentials(app: App, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> bool:
    """Redeem and store the refresh token, and log what ends soon. Returns whether the sign-in worked.

    A refused sign-in is logged as `sign_in_failed` with its code, and it pauses the side as in any other run. A
    temporary problem is logged as `run_failed`; the other runs of the day redeem the token too. No `CosellError` is
    raised. What the Salesforce org has of our package is kept in the store, too.
    """
    token = CURRENT_RUN.set(token_hex(16))
    try:
        _ask_org(app)
        is_signed_in = _try_refresh_token(app)
        days_left = dict(days_left_by_secret(app, now()))
        for name, days in sorted(days_left.items()):
            if days is None or days <= WARNING_DAYS:
                log("credential_ending", name=name, days_left=days)
        _keep_ends(app, days_left, now())
        if is_signed_in:
            _log_credentials(app, days_left, now())
            _repair_registration(app)
    except CosellError as error:
        log("run_failed", **failure_fields(error, CURRENT_RUN.get()), run=RUN)
        return False
    finally:
        CURRENT_RUN.reset(token)
    return is_signed_in


def _ask_org(app: App) -> None:
    """Ask the org for its shape, in every mode: the health report names the version of its package."""
    try:
        app.ask_org()
    except CosellError as error:
        log("run_failed", **failure_fields(error, CURRENT_RUN.get()), run="package")


def _try_refresh_token(app: App) -> bool:
    """Redeem the refresh token and store its successor in the vault. Returns False if the sign-in is refused."""
    try:
        app.sign_in.token(force=True)
    except SignInFailed as error:
        _pause_partner_center(app, error)
        return False
    return True


def _log_credentials(app: App, days_left: dict[str, int | None], now: datetime) -> None:
    mfa, role = _mfa_and_role(app)
    names = _secret_names()
    log(
        "credentials_kept",
        refresh_token_age_days=_refresh_token_age(app, now),
        certificate_days_left=days_left.get(names.certificate or ""),
        secret_days_left=days_left.get(names.client_secret or ""),
        mfa=mfa,
        role=role,
    )


def _keep_ends(app: App, days_left: dict[str, int | None], now: datetime) -> None:
    """Store when each secret ends, so that somebody without rights on the vault can see it."""
    known = {name: now + days * DAY for name, days in days_left.items() if days is not None}
    app.store.move_cursors({CREDENTIALS_DONE: now, **{f"{ENDS}{name}": end for name, end in known.items()}})


def days_left_by_secret(app: App, now: datetime) -> Iterator[tuple[str, int | None]]:
    """Yield each secret's name and the whole days until it ends, if an end is known. Negative: it has ended.

    None: its certificate cannot be read, so nobody knows the end. Raises what the vault raises.
    """
    names = _secret_names()
    for name in (names.certificate, names.client_secret, app.settings.salesforce.key_secret):
        if name is None:
            continue
        with suppress(NotFound):
            end = read_credential_end(app.vault, name)
            if end.ends is not None or not end.is_readable:
                yield name, end.days_left(now)
    with suppress(NotFound):
        created = app.vault.read_facts(names.refresh_token).created
        yield names.refresh_token, (created + REFRESH_TOKEN_LIFE - now) // DAY


def _refresh_token_age(app: App, now: datetime) -> float | None:
    """Return the days since the refresh token was written to the vault. Near 0 after a redemption gave a new one."""
    try:
        return round((now - app.vault.read_facts(_secret_names().refresh_token).created) / DAY, 1)
    except NotFound:
        return None


def _mfa_and_role(app: App) -> tuple[bool | None, str | None]:
    """Return MFA and role as Partner Center sees them, and log what it refuses. None: not known."""
    try:
        probe = app.partner_center.probe_connection()
    except SignInFailed as error:
        _pause_partner_center(app, error)
        return (False if error.code == MFA_CODE else None), ("none" if error.code == "accessDenied" else None)
    if probe.mfa is False:
        # Partner Center still answers. It will refuse as soon as it enforces multi-factor authentication.
        log("sign_in_failed", side="partner_center", code=MFA_CODE, call_id=None)
    return probe.mfa, "admin" if probe.count_without_account else None


def _repair_registration(app: App) -> None:
    """Redeem the refresh token for the events API, and repair the registration for events.

    Consent can be missing for one of the two APIs only. The work with the other one continues, so no side is paused.
    """
    try:
        app.sign_in_to(app.settings.partner_center.webhooks_scope).token()
        app.keep_registration()
    except SignInFailed as error:
        log("sign_in_failed", side="partner_center", code=error.code, call_id=error.call_id)
    except CosellError as error:
        log("run_failed", **failure_fields(error, CURRENT_RUN.get()), run="registration")


def _pause_partner_center(app: App, error: SignInFailed) -> None:
    from shared.domain.deal import Side  # noqa: PLC0415 - imported late: it slows a cold start
    from shared.sync.retry_queue import pause_side  # noqa: PLC0415 - as above

    pause_side(app.local, Side.PARTNER_CENTER, error)


def _secret_names() -> "SecretNames":
    from shared.clients.partner_center.sign_in import SecretNames  # noqa: PLC0415 - imported late: it slows a cold start

    return SecretNames()
