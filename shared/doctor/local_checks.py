"""Checks of our own side: settings, mapping file, vault and its secrets, storage."""

from datetime import timedelta

from shared.clients.partner_center.sign_in import PLACEHOLDER
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.foundation.errors import NotFound

STALE = timedelta(days=7)
"""The daily timer renews the refresh token; it dies at 90 days (reference/partner-center.md 12.5)."""
CONNECT_PARTNER_CENTER = "Run `cosell connect partner-center`."
SOON = 14
"""Days before its end at which a secret is to be renewed."""
ROTATE = "Renew it: `cosell connect salesforce --rotate`."
CONNECT_SALESFORCE = "Run `cosell connect salesforce`."
KEEP = "Look whether the function keep_credentials runs (docs/runbook.md): it renews the token every day."
_REFRESH_TOKEN = "partner-center-refresh-token"  # noqa: S105 - a secret's name
_CREDENTIALS = ("partner-center-certificate", "partner-center-client-secret")


def check_settings(patient: Installation) -> Verdict:
    """Every setting is there and has the right form."""
    said = patient.settings.sync
    return ok(f"complete; ENVIRONMENT={said.environment}, SYNC={said.sync}")


def check_mapping_file(patient: Installation) -> Verdict:
    """The mapping file can be used."""
    chosen = patient.settings.sync.mapping
    return ok(f"{chosen.name if chosen else 'the default file'} is sound, hash {patient.app.translation.hash}")


def check_vault(patient: Installation) -> Verdict:
    """Key Vault opens, whatever is in it."""
    try:
        patient.app.vault.facts(_REFRESH_TOKEN)
    except NotFound:
        return ok("it opens; the refresh token is not in it yet")
    return ok("it opens")


def check_salesforce_key(patient: Installation) -> Verdict:
    """The private key for signing in to Salesforce is there, and its certificate does not end soon."""
    name = patient.settings.salesforce.key_secret
    try:
        text = patient.app.vault.get_fresh(name)
    except NotFound:
        return failed(f"the vault has no secret {name}", CONNECT_SALESFORCE)
    if "PRIVATE KEY-----" not in text:
        return failed(f"the secret {name} is no private key in PEM form", CONNECT_SALESFORCE)
    return _lasting(patient, name, ROTATE)


def check_app_credential(patient: Installation) -> Verdict:
    """The app registration's certificate or client secret is there and does not end soon."""
    if patient.settings.partner_center.public_client:
        return ok("a public registration has none (PARTNER_CENTER_PUBLIC_CLIENT)")
    for name in _CREDENTIALS:
        try:
            return _lasting(patient, name, f"Renew it. {CONNECT_PARTNER_CENTER}")
        except NotFound:
            continue
    return failed(f"the vault has neither {_CREDENTIALS[0]} nor {_CREDENTIALS[1]}", CONNECT_PARTNER_CENTER)


def _lasting(patient: Installation, name: str, remedy: str) -> Verdict:
    """Whether a secret that is there stays good for a while. Raises NotFound."""
    ends = patient.app.vault.facts(name).expires
    if ends is None:
        return ok(f"the secret {name} is there; the vault knows no end of it")
    left = (ends - patient.now()).days
    if left < 0:
        return failed(f"the secret {name} ended {-left} days ago", remedy)
    found = f"the secret {name} is there for {left} more days"
    return ok(found) if left > SOON else failed(found, remedy)


def check_refresh_token(patient: Installation) -> Verdict:
    """The refresh token is there, and it is being renewed."""
    try:
        if patient.app.vault.get_fresh(_REFRESH_TOKEN).startswith(PLACEHOLDER):
            return failed(
                "nobody has signed in yet: the vault holds the deployment's placeholder", CONNECT_PARTNER_CENTER
            )
        age = patient.now() - patient.app.vault.facts(_REFRESH_TOKEN).created
    except NotFound:
        return failed(f"the vault has no secret {_REFRESH_TOKEN}", CONNECT_PARTNER_CENTER)
    found = f"renewed {age.days} days ago" if age.days else "renewed today"
    return ok(found) if age <= STALE else failed(found, KEEP)


def check_storage(patient: Installation) -> Verdict:
    """A row can be written, read back and removed."""
    patient.app.store.probe()
    return ok("a row was written, read back and removed")


def skipped_without_referrals(what: str) -> Verdict:
    """What cannot be judged before the first deal."""
    return skipped(f"no referral yet to judge {what} by: check again after the first deal")
