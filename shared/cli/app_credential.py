"""Manage the credential of the app registration: read it from Key Vault, create a new one, put it into use.

A new certificate waits in Key Vault until a sign-in with it has worked. Until then the app uses the former credential.
"""

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
from shared.clients.partner_center.sign_in import SecretNames, certificate_credential, read_credential
from shared.foundation.errors import ConfigurationError, NotFound
from shared.foundation.redacted import Redacted

CERTIFICATE_DAYS = 365
"""The validity of a new certificate."""


class AppCredential(Redacted, frozen=True):
    """A credential in the form that MSAL takes (None: the registration is public), and its name for people.

    `new_certificate` or `new_secret`, which ends at `secret_ends`, is set if no sign-in has used the credential yet.
    """

    credential: str | dict[str, str] | None
    name: str
    new_certificate: Certificate | None = None
    new_secret: str | None = None
    secret_ends: datetime | None = None


def select_credential(app: App) -> AppCredential:
    """Return the new certificate, or else the one in use, or else the client secret. Raises SignInFailed for none."""
    if app.settings.partner_center.public_client:
        return AppCredential(None, "no credential: the registration is public")
    names, read = SecretNames(), app.vault.get_fresh
    pem = _secret_or_none(read, NEXT_CERTIFICATE)
    if pem is not None and pem != _secret_or_none(read, str(names.certificate)):
        certificate = self_signed_certificate.parse_certificate(pem)
        if certificate is not None:
            return AppCredential(
                certificate_credential(pem), f"the new certificate {certificate.thumbprint}", certificate
            )
    return credential_in_use(app)


def credential_in_use(app: App) -> AppCredential:
    """Return the certificate in use, or else the client secret. Raises SignInFailed if both are missing."""
    secret_or_certificate = read_credential(app.vault.get_fresh, SecretNames())
    name = "the client secret" if isinstance(secret_or_certificate, str) else "the certificate in use"
    return AppCredential(secret_or_certificate, name)


def has_certificate(app: App) -> bool:
    """Return whether Key Vault has a certificate, which the app prefers to a client secret."""
    return _secret_or_none(app.vault.get_fresh, str(SecretNames().certificate)) is not None


def put_into_use(app: App, credential: AppCredential) -> list[str]:
    """Store a new certificate or client secret, and return the names of the stored secrets.

    Call it only after a sign-in with the credential has worked.
    """
    if (certificate := credential.new_certificate) is not None:
        app.vault.set(str(SecretNames().certificate), certificate.pem, expires=certificate.ends)
        return [str(SecretNames().certificate)]
    if credential.new_secret is not None:
        app.vault.set(str(SecretNames().client_secret), credential.new_secret, expires=credential.secret_ends)
        return [str(SecretNames().client_secret)]
    return []


def make_new_certificate(app: App, environment: Environment, output: Output, folder: Path = Path()) -> Exit:
    """Create a certificate, store it in Key Vault, and tell the person what to upload.

    The credential in use does not change. Raises ConfigurationError for a public registration, and what Key Vault
    raises.
    """
    if app.settings.partner_center.public_client:
        raise ConfigurationError(
            "--make-certificate: a public registration has no credential (example: PARTNER_CENTER_PUBLIC_CLIENT=false)"
        )
    certificate = self_signed_certificate.create_certificate(f"cosell-{environment.name}", CERTIFICATE_DAYS)
    app.vault.set(NEXT_CERTIFICATE, certificate.pem, expires=certificate.ends)
    file = folder / f"cosell-{environment.name}.cer"
    file.write_text(certificate.public_pem, encoding="ascii")
    client, end, thumbprint = app.settings.partner_center.client_id, certificate.ends.date(), certificate.thumbprint
    next_command = f"cosell connect partner-center --env {environment.name}"
    for line in (
        f"Created a certificate that ends on {end}. Its key is in Key Vault, in the secret {NEXT_CERTIFICATE}.",
        "Now open the Entra admin center (https://entra.microsoft.com):",
        f"  1. Open App registrations, {client}, Certificates & secrets, Certificates, Upload certificate.",
        f"  2. Choose {file}. The page must show the thumbprint {thumbprint}.",
        f"  3. Run `{next_command}`. After the first successful sign-in, the app uses the new certificate.",
        "Until then the app uses its current credential. Remove the former certificate only after step 3.",
    ):
        output.say(escape(line))
    output.print_document({
        "ok": True, "file": str(file), "thumbprint": thumbprint, "ends": end, "next": next_command,
    })  # fmt: skip
    return Exit.OK


def new_client_secret(text: str, ends: datetime | None) -> AppCredential:
    """Return a client secret that is not stored yet. Raises ConfigurationError if it is empty."""
    secret = text.strip()
    if not secret:
        raise ConfigurationError("--client-secret: the secret is empty. Copy the Value, not the Secret ID")
    return AppCredential(secret, "the new client secret", new_secret=secret, secret_ends=ends)


def _secret_or_none(read: Callable[[str], str], name: str) -> str | None:
    try:
        return read(name)
    except NotFound:
        return None
