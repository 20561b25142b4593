"""Check our own side: settings, mapping file, Key Vault and its secrets, storage."""

import os
from contextlib import suppress
from copy import replace
from datetime import timedelta

from shared import __version__
from shared.app import HOME
from shared.clients.key_vault.credential_ends import WARNING_DAYS, read_credential_end
from shared.clients.partner_center.sign_in import PLACEHOLDER
from shared.clients.salesforce.private_keys import private_keys_in
from shared.doctor.finding import CORRECT_SETTING, Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.domain.list_rows import AGREED, DIFFERED, OFF_FOR, Trust, trust_in_lists
from shared.foundation.errors import NotFound
from shared.mapping.source import MappingSource
from shared.mapping.validation import load_mapping
from shared.settings.schedules import schedule_fault, schedule_note
from shared.settings.variables import SCHEDULES

MAX_TOKEN_AGE = timedelta(days=7)
"""The daily timer renews the refresh token, which ends at 90 days (docs/reference/partner-center.md#refresh-tokens)."""
CONNECT_PARTNER_CENTER = "Run `cosell connect partner-center`."
STORE_AGAIN = "Store it again as a whole PEM file, or create a new one with `cosell connect`."
FINISH_ROTATION = (
    "Upload the new certificate, then run `cosell connect salesforce --verify`, which removes the old key."
)
ROTATE_KEY = "Renew it: run `cosell connect salesforce --rotate`."
TEST_SALESFORCE = "Run `cosell connect salesforce --verify`."
CONNECT_SALESFORCE = "Run `cosell connect salesforce`."
BYTE_ORDER_MARK = (
    "it begins with a byte order mark, which is not read: save it as UTF-8 without one, because other tools may stumble"
)
NO_EFFECT = "PARTNER_CENTER_TEST_TENANT has no effect in production"
CHECK_TIMER = "Check that the function keep_credentials runs: it renews the token every day (docs/troubleshooting.md)."
_REFRESH_TOKEN = "partner-center-refresh-token"  # noqa: S105 - a secret's name
_CREDENTIALS = ("partner-center-certificate", "partner-center-client-secret")


def check_settings(installation: Installation) -> Verdict:
    """Check that every setting is present and valid."""
    settings, notes = installation.settings.sync, ""
    if installation.settings.partner_center.test_tenant:
        is_needed = settings.tag is not None
        notes = "PARTNER_CENTER_TEST_TENANT lets Microsoft see deals" if is_needed else NO_EFFECT
    return ok("; ".join(filter(None, (f"complete; ENVIRONMENT={settings.environment}, SYNC={settings.sync}", notes))))


def check_schedules(_installation: Installation) -> Verdict:
    """Check that each timer has a schedule which Azure takes, and runs at the times that its text suggests."""
    schedules = {name: os.environ[name] for name in SCHEDULES if os.environ.get(name)}
    if not schedules:
        return skipped("this environment has no schedules here: the app checks them when it starts")
    if faults := [f"{name} {fault}" for name, text in schedules.items() if (fault := schedule_fault(text))]:
        return failed("; ".join(faults), f"{CORRECT_SETTING} The parameter file of the deployment has the schedules.")
    notes = [f"{name}: {note}" for name, text in schedules.items() if (note := schedule_note(text))]
    return ok("; ".join(notes) or f"all {len(schedules)} run when they say")


def check_mapping_file(installation: Installation) -> Verdict:
    """Check that the mapping file is valid, and name the fields that a whole file of an earlier version lacks."""
    path, translation = installation.settings.sync.mapping, installation.app.translation
    missing = load_mapping()[0].fields.keys() - translation.file.fields.keys()
    lacks = f"; it lacks {', '.join(sorted(missing))}, which the default file has" if missing else ""
    mark = f"; {BYTE_ORDER_MARK}" if path and MappingSource(HOME / path).has_mark else ""
    return ok(f"{path.name if path else 'the default file'} is valid, hash {translation.hash}{lacks}{mark}")


def check_vault(installation: Installation) -> Verdict:
    """Check that Key Vault can be read, whatever secrets it holds."""
    try:
        installation.app.vault.read_facts(_REFRESH_TOKEN)
    except NotFound:
        return ok("Key Vault can be read; it does not hold the refresh token yet")
    return ok("Key Vault can be read")


def check_salesforce_key(installation: Installation) -> Verdict:
    """Check that Key Vault holds the private key for Salesforce, and that its certificate does not end soon."""
    name = installation.settings.salesforce.key_secret
    try:
        text = installation.app.vault.get_fresh(name)
    except NotFound:
        return failed(f"Key Vault has no secret {name}", CONNECT_SALESFORCE)
    if "PRIVATE KEY-----" not in text:
        return failed(f"the secret {name} is not a private key in PEM form", CONNECT_SALESFORCE)
    is_rotating = len(private_keys_in(text)) > 1
    verdict = _verdict_on_end(installation, name, FINISH_ROTATION if is_rotating else ROTATE_KEY)
    return replace(verdict, found=f"{verdict.found}; a rotation has begun") if is_rotating else verdict


def check_app_credential(installation: Installation) -> Verdict:
    """Check that Key Vault holds the app registration's certificate or client secret, and that it does not end soon."""
    if installation.settings.partner_center.public_client:
        return ok("a public registration needs none (PARTNER_CENTER_PUBLIC_CLIENT)")
    verdicts = []
    for name in _CREDENTIALS:
        with suppress(NotFound):
            verdicts.append(_verdict_on_end(installation, name, f"Renew it. {CONNECT_PARTNER_CENTER}"))
    if not verdicts:
        return failed(f"Key Vault has neither {_CREDENTIALS[0]} nor {_CREDENTIALS[1]}", CONNECT_PARTNER_CENTER)
    found, remedies = "; ".join(each.found for each in verdicts), [each.remedy for each in verdicts if each.remedy]
    return failed(found, remedies[0]) if remedies else ok(found)


def _verdict_on_end(installation: Installation, name: str, remedy: str) -> Verdict:
    """Return whether a secret is valid for long enough, as the daily run judges. Raises NotFound if there is none."""
    now, end = installation.now(), read_credential_end(installation.app.vault, name)
    days_left = end.days_left(now)
    if not end.is_readable:
        return failed(f"the certificate in the secret {name} cannot be read, so its end is not known", STORE_AGAIN)
    if end.ends is None or days_left is None:
        return ok(f"the secret {name} exists; neither Key Vault nor a certificate has an end date for it")
    if days_left < 0:
        return failed(f"the secret {name} ended {(now - end.ends).days} days ago", remedy)
    finding = f"the secret {name} is valid for {days_left} more days"
    return ok(finding) if days_left > WARNING_DAYS else failed(finding, remedy)


def check_refresh_token(installation: Installation) -> Verdict:
    """Check that Key Vault holds the refresh token, and that the daily timer renews it."""
    try:
        if installation.app.vault.get_fresh(_REFRESH_TOKEN).startswith(PLACEHOLDER):
            return failed(
                "nobody has signed in yet: Key Vault still holds the placeholder of the deployment",
                CONNECT_PARTNER_CENTER,
            )
        age = installation.now() - installation.app.vault.read_facts(_REFRESH_TOKEN).created
    except NotFound:
        return failed(f"Key Vault has no secret {_REFRESH_TOKEN}", CONNECT_PARTNER_CENTER)
    finding = f"renewed {age.days} days ago" if age.days else "renewed today"
    return ok(finding) if age <= MAX_TOKEN_AGE else failed(finding, CHECK_TIMER)


def check_storage(installation: Installation) -> Verdict:
    """Write a row, read it back and remove it."""
    installation.app.store.probe()
    return ok("a row was written, read back and removed")


def check_paused_sides(installation: Installation) -> Verdict:
    """Check that the app has paused no side after a failed sign-in. A side that limits calls is told."""
    now, told = installation.now(), []
    for side in Side:
        state = installation.app.store.side_state(side)
        if state.paused_until is None or state.paused_until <= now:
            continue
        found = f"the app has paused {side} until {state.paused_until:%Y-%m-%d %H:%M:%S} UTC ({state.reason})"
        if state.waits_for_sign_in:
            remedy = CONNECT_PARTNER_CENTER if side is Side.PARTNER_CENTER else TEST_SALESFORCE
            return failed(found, f"{remedy} A sign-in that works ends the pause.")
        told.append(found)
    return ok("; ".join(told) or "no side is paused")


def check_refused_paths(installation: Installation) -> Verdict:
    """Name the paths of a referral of which Partner Center has taken no change. Another release tries them again."""
    state = installation.app.store.side_state(Side.PARTNER_CENTER)
    if not (paths := ", ".join(sorted(state.fixed_paths(__version__)))):
        return ok("Partner Center has refused no path")
    return ok(f"Partner Center takes no change of {paths}: edits are told, not sent; the next release tries again")


def check_lists(installation: Installation) -> Verdict:
    """Say whether lists of Partner Center showed what the referrals show, when they were compared last."""
    app = installation.app
    known, now = app.store.cursors(), app.clock.now()
    if trust_in_lists(known, now) is Trust.OFF:
        differed = known[DIFFERED]
        found = f"lists of Partner Center differed from the referrals on {differed:%Y-%m-%d %H:%M} UTC"
        return ok(f"{found}: until {differed + OFF_FOR:%Y-%m-%d} each changed referral is read by itself: slower")
    if agreed := known.get(AGREED):
        return ok(f"lists agreed with the referrals on {agreed:%Y-%m-%d %H:%M} UTC")
    return ok("no list was compared yet")


def skipped_without_referrals(what: str) -> Verdict:
    """Return the verdict of a check that needs a referral while there is none."""
    return skipped(f"there is no referral yet to compare {what} with: run the doctor again after the first deal")
