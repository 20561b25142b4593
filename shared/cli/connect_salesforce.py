"""`cosell connect salesforce`: makes key and certificate, says what to click in Setup, and proves the sign-in.

The steps are those of reference/salesforce.md 4.1 and 4.2: an External Client App of the org's own, closed to all but
the integration user, who has the API and nothing else.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import FOLDER, Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.salesforce_key import KeyPairs, ensure_key_pair, read_key_pairs, remove_old_key
from shared.clients.salesforce.client import open_salesforce
from shared.foundation.errors import ConfigurationError, SignInFailed

CALLBACK = "https://login.salesforce.com/services/oauth2/success"
_MISMATCH = frozenset({"invalid_client", "invalid_grant"})


class KeyOptions(Struct, frozen=True):
    """What the person asked for."""

    rotate: bool = False
    verify: bool = False


class _OneKey:
    """A vault with nothing but the key that is to prove itself."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self, _: str) -> str:
        return self._key

    def get_fresh(self, _: str) -> str:
        return self._key

    def set(self, name: str, value: str) -> None:
        raise AssertionError(f"a sign-in to Salesforce writes no secret: {name} ({len(value)})")


def connect_salesforce(
    env: Env,
    rotate: Annotated[bool, typer.Option("--rotate", help="A new key beside the one in use, until it works.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Only prove the sign-in, and end a rotation.")] = False,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="The consumer key, while the settings have none yet.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make key and certificate, say what to click in Setup, and prove the sign-in."""

    def started(environment: Environment, output: Output) -> Exit:
        if client_id:
            os.environ["SALESFORCE_CLIENT_ID"] = client_id
        return run_connect_salesforce(environment, output, KeyOptions(rotate, verify))

    run_command(env, as_json, started)


def run_connect_salesforce(environment: Environment, output: Output, wish: KeyOptions, folder: Path = FOLDER) -> Exit:
    """Do it. Raises ConfigurationError, SignInFailed, and what the vault raises."""
    app = App()
    try:
        file = folder / f"salesforce-{environment.name}.crt"
        if wish.verify:
            found = read_key_pairs(app)
            if not found.pairs:
                secret = app.settings.salesforce.key_secret
                raise ConfigurationError(f"--verify: the vault has no key in {secret}: run without --verify first")
            return _proven(app, found, file, output)
        found = ensure_key_pair(app, f"cosell-{environment.name}", rotate=wish.rotate)
        return _explained(app, found, file, output, environment)
    finally:
        app.close()


def _explained(app: App, found: KeyPairs, file: Path, output: Output, environment: Environment) -> Exit:
    known = found.newest_certificate
    if known is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(known.public_pem, encoding="ascii")
    for line in _steps(app, found, file):
        output.say(escape(line))
    if output.confirm("All done in Salesforce? Prove the sign-in now"):
        return _proven(app, found, file, output)
    again = f"cosell connect salesforce --env {environment.name} --verify"
    output.say(f"When it is done: `{again}`")
    output.print_document({
        "ok": True, "proven": False, "made": found.is_new, "rotating": found.is_rotating,
        "file": str(file) if known else None, "thumbprint": known.thumbprint if known else None,
        "ends": known.ends if known else None, "next": again,
    })  # fmt: skip
    return Exit.OK


def _steps(app: App, found: KeyPairs, file: Path) -> Iterator[str]:
    known, secret = found.newest_certificate, app.settings.salesforce.key_secret
    yield f"{'Made a key' if found.is_new else 'A key is there'}; it is in Key Vault, in {secret}."
    if known is None:
        yield "It was put there without its certificate: upload the one it was made with, or take a new key: --rotate."
    else:
        yield f"Its certificate ends on {known.ends.date()}: {file} (thumbprint {known.thumbprint})."
    if found.is_rotating:
        yield "The key in use stays in the vault until the new one works; the sync goes on. In Salesforce, in Setup:"
        yield "  1. External Client App Manager, your app, Settings, OAuth Settings, Flow Enablement, JWT Bearer Flow."
        yield f"  2. Upload {file} in place of the certificate that is there, and save."
        return
    yield "In Salesforce, in Setup:"
    yield from (
        f"  {number}. {step}"
        for number, step in enumerate(_first_steps(app, str(file) if known else "the certificate"), 1)
    )


def _first_steps(app: App, certificate: str) -> Iterator[str]:
    username = app.settings.salesforce.username
    yield (
        f"Users, New User: user name {username}, licence Salesforce Integration, profile Minimum Access - API Only "
        "Integrations."
    )
    yield (
        "That user: Permission Set License Assignments, Salesforce API Integration; then Permission Set Assignments, "
        "Cosell_Integration (installed by `cosell salesforce deploy`)."
    )
    yield "External Client App Manager, New External Client App: name cosell, distribution state Local."
    yield (
        f"In it: Enable OAuth; callback URL {CALLBACK}; scopes Manage user data via APIs (api) and Perform requests "
        "at any time (refresh_token, offline_access)."
    )
    yield f"In it: Flow Enablement, Enable JWT Bearer Flow, upload {certificate}; Create."
    yield (
        "The app's Policies, Edit: Permitted Users, Admin approved users are pre-authorized; App Policies, Select "
        "Permission Sets, Cosell_Integration; Save."
    )
    yield (
        "The app's Settings, OAuth Settings, Consumer Key and Secret: copy the consumer key. It is the setting "
        "SALESFORCE_CLIENT_ID of the next deployment; until then: --client-id."
    )


def _proven(app: App, found: KeyPairs, file: Path, output: Output) -> Exit:
    organization = _signed_in(app, found, file)
    if found.is_rotating:
        remove_old_key(app, found)
        output.say("The new key works and stays alone; the old one is removed.")
    output.say(f"Signed in to the organisation {organization} as {escape(app.settings.salesforce.username)}.")
    known = found.newest_certificate
    output.print_document({
        "ok": True, "proven": True, "organization": organization, "rotated": found.is_rotating,
        "ends": known.ends if known else None,
    })  # fmt: skip
    return Exit.OK


def _signed_in(app: App, found: KeyPairs, file: Path) -> str:
    """The organisation's id. Raises SignInFailed that says which certificate to upload where that is the reason."""
    said = app.settings.salesforce
    salesforce = open_salesforce(
        login_url=said.url,
        audience=said.audience,
        client_id=said.client_id,
        username=said.username,
        key_name=said.key_secret,
        vault=_OneKey(found.newest_key),
        version=said.api_version,
        ca_bundle=app.settings.vault.ca_bundle,
        deadline=app.settings.sync.deadline_seconds,
    )
    try:
        return salesforce.organization_id()
    except SignInFailed as error:
        if error.code not in _MISMATCH or "certificate" not in error.remedy:
            raise
        raise _does_not_match(error, found, file) from None


def _does_not_match(error: SignInFailed, found: KeyPairs, file: Path) -> SignInFailed:
    known = found.newest_certificate
    which = f"{file} (thumbprint {known.thumbprint})" if known else "the certificate of the vault's key"
    return SignInFailed(
        f"{error}: the app does not seem to hold the certificate of the vault's key",
        code=error.code,
        remedy=f"Upload {which} to the External Client App whose consumer key SALESFORCE_CLIENT_ID is, check user name"
        " and audience, wait ten minutes after a change, and run --verify again.",
    )
