"""Keeps the connector let in: redeems and stores the refresh token daily, and tells what is about to end.

Who redeems a refresh token and never stores its successor is locked out after 90 days (reference/partner-center.md
12.5), and certificates and client secrets end on a date that nobody remembers. So once a day, whatever the mode, the
token is redeemed for both audiences, MFA and role are looked at as the service sees them, what ends soon is told, and
the registration for events is repaired.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.app import App
from shared.foundation.errors import CosellError, NotFound, SignInFailed
from shared.foundation.logs import log

if TYPE_CHECKING:
    from shared.clients.partner_center.sign_in import SecretNames

RUN = "credentials"
MFA_CODE = "900421"

SOON = 30
"""Days before its end from which on a credential is told every day."""
REFRESH_LIFE = timedelta(days=90)
"""Without redemption a refresh token ends after that (reference/partner-center.md 12.5)."""
DAY = timedelta(days=1)


def keep_credentials(app: App, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> bool:
    """Redeem, store, look, tell; whether the credentials are kept. Raises nothing but faults of our own.

    A refused sign-in is told as `sign_in_failed` with its code, and pauses the side as any other does. What passes by
    itself is `run_failed`: the runs of the day redeem too, and tomorrow is another day.
    """
    try:
        kept = _redeemed(app)
        days_left = dict(days_left_by_secret(app, now()))
        for name, days in sorted(days_left.items()):
            if days <= SOON:
                log("credential_ending", name=name, days_left=days)
        if kept:
            _tell(app, days_left, now())
            _keep_registration(app)
    except CosellError as error:
        log("run_failed", run=RUN, error=type(error).__name__)
        return False
    return kept


def _redeemed(app: App) -> bool:
    """Redeem the refresh token; its successor is in the vault afterwards."""
    try:
        app.sign_in.token(force=True)
    except SignInFailed as error:
        _shut_out(app, error)
        return False
    return True


def _tell(app: App, days_left: dict[str, int], now: datetime) -> None:
    mfa, role = _standing(app)
    names = _names()
    log(
        "credentials_kept",
        refresh_token_age_days=_refresh_token_age(app, now),
        certificate_days_left=days_left.get(names.certificate or ""),
        secret_days_left=days_left.get(names.client_secret or ""),
        mfa=mfa,
        role=role,
    )


def days_left_by_secret(app: App, now: datetime) -> Iterator[tuple[str, int]]:
    """Whole days until each secret of the vault ends, where that is known; negative: it has ended.

    Looked at are the end that the vault notes and the certificate's own. Raises what the vault raises.
    """
    names = _names()
    for name in (names.certificate, names.client_secret, app.settings.salesforce.key_secret):
        if name is None:
            continue
        with suppress(NotFound):
            known = [app.vault.facts(name).expires, _certificate_end(app.vault.get(name))]
            if moments := [moment for moment in known if moment is not None]:
                yield name, (min(moments) - now) // DAY
    with suppress(NotFound):
        yield names.refresh_token, (app.vault.facts(names.refresh_token).created + REFRESH_LIFE - now) // DAY


def _certificate_end(text: str) -> datetime | None:
    """The end of the first certificate in a PEM text; None where there is none, or none that can be read."""
    if "BEGIN CERTIFICATE" not in text:
        return None
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - late: costs a cold start

    try:
        return load_pem_x509_certificate(text[text.index("-----BEGIN CERTIFICATE") :].encode()).not_valid_after_utc
    except ValueError:
        return None


def _refresh_token_age(app: App, now: datetime) -> float | None:
    """Days since the refresh token in the vault was written: near 0 after each redemption that brought a new one."""
    try:
        return round((now - app.vault.facts(_names().refresh_token).created) / DAY, 1)
    except NotFound:
        return None


def _standing(app: App) -> tuple[bool | None, str | None]:
    """MFA and role, as the service sees them; what it refuses is told."""
    try:
        probe = app.partner_center.probe()
    except SignInFailed as error:
        _shut_out(app, error)
        return (False if error.code == MFA_CODE else None), ("none" if error.code == "accessDenied" else None)
    if probe.mfa is False:
        # It answers still, but will not once the rule is enforced.
        log("sign_in_failed", side="partner_center", code=MFA_CODE)
    return probe.mfa, "admin" if probe.of_others else None


def _keep_registration(app: App) -> None:
    """Redeem for the other audience, and repair the registration for events.

    Consent may be lost for one of the two APIs alone; the other's work goes on, so nothing is paused.
    """
    try:
        app.sign_in_to(app.settings.partner_center.webhooks_scope).token()
        app.keep_registration()
    except SignInFailed as error:
        log("sign_in_failed", side="partner_center", code=error.code)
    except CosellError as error:
        log("run_failed", run="registration", error=type(error).__name__)


def _shut_out(app: App, error: SignInFailed) -> None:
    from shared.domain.deal import Side  # noqa: PLC0415 - late: costs a cold start
    from shared.sync.retry.side_health import pause_side  # noqa: PLC0415 - as above

    pause_side(app.local, Side.PARTNER_CENTER, error)


def _names() -> "SecretNames":
    from shared.clients.partner_center.sign_in import SecretNames  # noqa: PLC0415 - late: costs a cold start

    return SecretNames()
