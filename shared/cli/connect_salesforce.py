"""Run `cosell connect salesforce`: create key and certificate, print the steps for Setup, and test the sign-in.

The steps create an External Client App that admits only the integration user
(docs/reference/salesforce.md#external-client-app), and that user, who has API access and nothing else
(docs/reference/salesforce.md#licences-and-profile).
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
from shared.cli.side_pause import end_pause
from shared.clients.salesforce.client import open_salesforce
from shared.clients.salesforce.organization_check import ask_organization
from shared.domain.deal import Side
from shared.domain.own_organization import Organization, wrong_organization
from shared.foundation.errors import ConfigurationError, SignInFailed

CALLBACK = "https://login.salesforce.com/services/oauth2/success"
_MISMATCH_CODES = frozenset({"invalid_client", "invalid_grant"})


class KeyOptions(Struct, frozen=True):
    """The options that decide about the key."""

    rotate: bool = False
    verify: bool = False


class _OneKeyVault:
    """A vault that holds only the key to be tested, so that the sign-in cannot use an older key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self, _: str) -> str:
        return self._key

    def get_fresh(self, _: str) -> str:
        return self._key

    def set(self, name: str, value: str) -> None:
        raise AssertionError(f"a sign-in to Salesforce must not write a secret: {name} ({len(value)} characters)")


def connect_salesforce(
    env: Env,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Add a new key, and keep the current one until the new one works.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only test the sign-in, and remove the old key after a rotation.")
    ] = False,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="The consumer key, if the settings do not have it yet.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create key and certificate, print the steps for Salesforce Setup, and test the sign-in."""

    def run_with_client_id(environment: Environment, output: Output) -> Exit:
        if client_id:
            os.environ["SALESFORCE_CLIENT_ID"] = client_id
        return run_connect_salesforce(environment, output, KeyOptions(rotate, verify))

    run_command(env, as_json, run_with_client_id)


def run_connect_salesforce(
    environment: Environment, output: Output, options: KeyOptions, folder: Path = FOLDER
) -> Exit:
    """Run the command. Raises ConfigurationError, SignInFailed, and what the vault raises."""
    app = App()
    try:
        file = folder / f"salesforce-{environment.name}.crt"
        if options.verify:
            key_pairs = read_key_pairs(app)
            if not key_pairs.pairs:
                secret = app.settings.salesforce.key_secret
                raise ConfigurationError(
                    f"--verify: the secret {secret} has no key in it: run `cosell connect salesforce` first"
                )
            return _test_sign_in(app, key_pairs, file, output)
        key_pairs = ensure_key_pair(app, f"cosell-{environment.name}", rotate=options.rotate)
        return _guide_through_setup(app, key_pairs, file, output, environment)
    finally:
        app.close()


def _guide_through_setup(app: App, key_pairs: KeyPairs, file: Path, output: Output, environment: Environment) -> Exit:
    """Write the certificate file, print the steps, and test the sign-in if the person confirms."""
    certificate = key_pairs.newest_certificate
    if certificate is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(certificate.public_pem, encoding="ascii")
    for line in _instructions(app, key_pairs, file):
        output.say(escape(line))
    if output.confirm("Are all steps done in Salesforce? Test the sign-in now?"):
        return _test_sign_in(app, key_pairs, file, output)
    next_command = f"cosell connect salesforce --env {environment.name} --verify"
    output.say(f"When the steps are done, run `{next_command}`.")
    output.print_document({
        "ok": True, "proven": False, "made": key_pairs.is_new, "rotating": key_pairs.is_rotating,
        "file": str(file) if certificate else None, "thumbprint": certificate.thumbprint if certificate else None,
        "ends": certificate.ends if certificate else None, "next": next_command,
    })  # fmt: skip
    return Exit.OK


def _instructions(app: App, key_pairs: KeyPairs, file: Path) -> Iterator[str]:
    certificate, secret = key_pairs.newest_certificate, app.settings.salesforce.key_secret
    yield f"{'Created a key' if key_pairs.is_new else 'A key exists already'}. It is in the Key Vault secret {secret}."
    if certificate is None:
        yield (
            "The secret holds the key without its certificate. Upload the certificate that belongs to the key, or "
            "create a new key: run `cosell connect salesforce --rotate`."
        )
    else:
        yield f"Its certificate ends on {certificate.ends.date()}: {file} (thumbprint {certificate.thumbprint})."
    if key_pairs.is_rotating:
        yield "The current key stays in Key Vault until the new one works, and the sync continues. In Salesforce Setup:"
        yield "  1. External Client App Manager, your app, Settings, OAuth Settings, Flow Enablement, JWT Bearer Flow."
        yield f"  2. Replace the certificate there with {file}, and save."
        return
    steps = _setup_steps(app, str(file) if certificate else "the certificate")
    yield "In Salesforce Setup:"
    yield from (f"  {number}. {step}" for number, step in enumerate(steps, 1))


def _setup_steps(app: App, certificate: str) -> Iterator[str]:
    username = app.settings.salesforce.username
    yield (
        f"Users, New User: user name {username}, licence Salesforce Integration, profile Minimum Access - API Only "
        "Integrations."
    )
    yield (
        "In that user: Permission Set License Assignments, Salesforce API Integration. Then Permission Set "
        "Assignments, Cosell_Integration (`cosell salesforce deploy` installs it)."
    )
    yield "External Client App Manager, New External Client App: name cosell, distribution state Local."
    yield (
        f"In the app: Enable OAuth; callback URL {CALLBACK}; scopes Manage user data via APIs (api) and Perform "
        "requests at any time (refresh_token, offline_access)."
    )
    yield f"In the app: Flow Enablement, Enable JWT Bearer Flow, upload {certificate}; Create."
    yield (
        "In the app's Policies, Edit: Permitted Users, Admin approved users are pre-authorized; App Policies, Select "
        "Permission Sets, Cosell_Integration; Save."
    )
    yield (
        "In the app's Settings, OAuth Settings, Consumer Key and Secret: copy the consumer key. Set it as "
        "SALESFORCE_CLIENT_ID in the next deployment. Until then, run "
        "`cosell connect salesforce --client-id KEY` with that key."
    )


def _test_sign_in(app: App, key_pairs: KeyPairs, file: Path, output: Output) -> Exit:
    """Sign in with the newest key. If that works, remove the old key of a rotation.

    An organisation that this environment must not use is told: the sync would refuse it.
    """
    found = _sign_in_with_newest_key(app, key_pairs, file)
    organization, wrong = found.id, wrong_organization(app.own_organization, found)
    if key_pairs.is_rotating:
        remove_old_key(app, key_pairs)
        output.say("The new key works. The old key was removed from Key Vault.")
    output.say(f"Signed in to the organisation {organization} as {escape(app.settings.salesforce.username)}.")
    if wrong:
        output.say(f"The sync will not use it. {escape(wrong.text)}")
    was_paused = end_pause(app, Side.SALESFORCE, output)
    certificate = key_pairs.newest_certificate
    output.print_document({
        "ok": True, "proven": True, "organization": organization, "rotated": key_pairs.is_rotating,
        "ends": certificate.ends if certificate else None, "pause_ended": was_paused,
        "wrong_organization": wrong.reason if wrong else None,
    })  # fmt: skip
    return Exit.OK


def _sign_in_with_newest_key(app: App, key_pairs: KeyPairs, file: Path) -> Organization:
    """Sign in with the newest key and return the organisation. Raises SignInFailed, with the file to upload."""
    settings = app.settings.salesforce
    salesforce = open_salesforce(
        login_url=settings.url,
        audience=settings.audience,
        client_id=settings.client_id,
        username=settings.username,
        key_name=settings.key_secret,
        vault=_OneKeyVault(key_pairs.newest_key),
        version=settings.api_version,
        ca_bundle=app.settings.vault.ca_bundle,
        deadline=app.settings.sync.deadline_seconds,
    )
    try:
        return ask_organization(salesforce)
    except SignInFailed as error:
        if error.code not in _MISMATCH_CODES or "certificate" not in error.remedy:
            raise
        raise _certificate_mismatch(error, key_pairs, file) from None


def _certificate_mismatch(error: SignInFailed, key_pairs: KeyPairs, file: Path) -> SignInFailed:
    certificate = key_pairs.newest_certificate
    upload = f"{file} (thumbprint {certificate.thumbprint})" if certificate else "the certificate of that key"
    return SignInFailed(
        f"{error}: the app in Salesforce does not seem to hold the certificate of the key in Key Vault",
        code=error.code,
        remedy=f"Upload {upload} to the External Client App whose consumer key is in SALESFORCE_CLIENT_ID. Check the"
        " user name and the audience. After a change wait ten minutes, then run `cosell connect salesforce --verify`.",
    )
