"""What the app registration proves itself by: chosen from the vault, made, and put into use once it has worked."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.markup import escape

from shared.app import App
from shared.cli import self_signed_certificate
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.self_signed_certificate import Certificate
from shared.clients.partner_center.consent import NEXT_CERTIFICATE
from shared.clients.partner_center.sign_in import SecretNames, certified, credential
from shared.foundation.errors import ConfigurationError, NotFound
from shared.foundation.redacted import Redacted

DAYS = 365
"""How long a new certificate lasts."""


class AppCredential(Redacted, frozen=True):
    """A credential as MSAL takes it (None: the registration is public), and its name for a person.

    `waiting` is a new certificate that no sign-in has proven yet.
    """

    credential: str | dict[str, str] | None
    name: str
    new_certificate: Certificate | None = None


def select_credential(app: App) -> AppCredential:
    """The waiting certificate, else the one in use, else the client secret. Raises SignInFailed for none of them."""
    if app.settings.partner_center.public_client:
        return AppCredential(None, "no credential: the registration is public")
    names, read = SecretNames(), app.vault.get_fresh
    waiting = _found(read, NEXT_CERTIFICATE)
    if waiting is not None and waiting != _found(read, str(names.certificate)):
        known = self_signed_certificate.parse_certificate(waiting)
        if known is not None:
            return AppCredential(certified(waiting), f"the new certificate {known.thumbprint}", known)
    return credential_in_use(app)


def credential_in_use(app: App) -> AppCredential:
    """The certificate, else the client secret. Raises SignInFailed for neither."""
    found = credential(app.vault.get_fresh, SecretNames())
    return AppCredential(found, "the client secret" if isinstance(found, str) else "the certificate in use")


def put_into_use(app: App, waiting: Certificate) -> None:
    """A sign-in has proven the new certificate: from now on it is the one in use."""
    app.vault.set(str(SecretNames().certificate), waiting.pem, expires=waiting.ends)


def make_new_certificate(app: App, environment: Environment, output: Output, folder: Path = Path()) -> Exit:
    """Make one, keep it in the vault until a sign-in proves it, and say what to upload; the one in use stays in use."""
    if app.settings.partner_center.public_client:
        raise ConfigurationError(
            "--make-certificate: a public registration has no credential (example: PARTNER_CENTER_PUBLIC_CLIENT=false)"
        )
    made = self_signed_certificate.create_certificate(f"cosell-{environment.name}", DAYS)
    app.vault.set(NEXT_CERTIFICATE, made.pem, expires=made.ends)
    file = folder / f"cosell-{environment.name}.cer"
    file.write_text(made.public_pem, encoding="ascii")
    client, end = app.settings.partner_center.client_id, made.ends.date()
    again = f"cosell connect partner-center --env {environment.name}"
    for line in (
        f"Made a certificate that ends on {end}; its key is in Key Vault, in {NEXT_CERTIFICATE}.",
        "Now, in the Entra admin center (https://entra.microsoft.com):",
        f"  1. App registrations, {client}, Certificates & secrets, Certificates, Upload certificate.",
        f"  2. Choose {file}; the thumbprint shown there must be {made.thumbprint}.",
        f"  3. Run `{again}`: once a sign-in with it has worked, it is the one in use.",
        "Until then the app goes on with what it has; remove the former certificate there only afterwards.",
    ):
        output.say(escape(line))
    output.print_document({"ok": True, "file": str(file), "thumbprint": made.thumbprint, "ends": end, "next": again})
    return Exit.OK


def store_client_secret(app: App, secret: str, ends: datetime | None) -> None:
    """Put the app registration's client secret into the vault. Raises ConfigurationError for an empty one."""
    if not secret.strip():
        raise ConfigurationError("--client-secret: nothing was given; copy the Value, not the Secret ID")
    app.vault.set(str(SecretNames().client_secret), secret.strip(), expires=ends)


def _found(read: Callable[[str], str], name: str) -> str | None:
    try:
        return read(name)
    except NotFound:
        return None
