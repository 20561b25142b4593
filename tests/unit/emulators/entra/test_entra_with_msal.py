"""Microsoft's own library MSAL works with the emulator over TLS."""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import jwt
import msal  # type: ignore[import-untyped]  # the library ships no type information
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Server
from emulators.entra.emulator import CLIENT_ID, SECRET, TENANT, EntraEmulator
from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE

SCOPES = [f"{REFERRALS_AUDIENCE}/.default"]

type OpenApp = Callable[[str | dict[str, str]], msal.ConfidentialClientApplication]


@pytest.fixture
def open_app(entra: EntraEmulator, authority: Authority) -> Iterator[OpenApp]:
    with requests.Session() as session, Server(entra.handle, tls=authority.server_context()) as server:
        session.trust_env = False
        session.verify = str(authority.bundle)

        def open_one(credential: str | dict[str, str]) -> msal.ConfidentialClientApplication:
            return msal.ConfidentialClientApplication(
                CLIENT_ID,
                client_credential=credential,
                authority=f"{server.url}/{TENANT}",
                instance_discovery=False,
                http_client=session,
            )

        yield open_one


def make_self_signed_certificate() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "integration")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, private.decode()


def test_a_refresh_token_is_redeemed_for_both_audiences(entra: EntraEmulator, open_app: OpenApp) -> None:
    app = open_app(SECRET)

    first = app.acquire_token_by_refresh_token(entra.issue_refresh_token(), scopes=SCOPES)
    second = app.acquire_token_by_refresh_token(first["refresh_token"], scopes=[f"{WEBHOOKS_AUDIENCE}/.default"])

    assert entra.introspect(first["access_token"])["aud"] == REFERRALS_AUDIENCE
    assert entra.introspect(second["access_token"])["aud"] == WEBHOOKS_AUDIENCE
    assert int(first["expires_in"]) == 3599


def test_a_certificate_can_replace_the_secret(entra: EntraEmulator, open_app: OpenApp) -> None:
    pem, private = make_self_signed_certificate()
    entra.register_app(CLIENT_ID, certificate_pem=pem)
    sha1 = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303 - x5t is SHA-1

    modern = open_app({"private_key": private, "public_certificate": pem})
    older = open_app({"private_key": private, "thumbprint": sha1})

    for app in (modern, older):
        assert "access_token" in app.acquire_token_by_refresh_token(entra.issue_refresh_token(), scopes=SCOPES)


def test_an_unregistered_certificate_is_refused(entra: EntraEmulator, open_app: OpenApp) -> None:
    pem, private = make_self_signed_certificate()
    app = open_app({"private_key": private, "public_certificate": pem})

    refused = app.acquire_token_by_refresh_token(entra.issue_refresh_token(), scopes=SCOPES)

    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [700027])


@pytest.mark.parametrize(
    ("thumbprint", "audience", "code"),
    [(5, "x", 700027), ("é", "x", 700027), ("", "x", 700027), (None, "http://[", 700023)],
)
def test_a_malformed_assertion_is_refused(entra: EntraEmulator, thumbprint: object, audience: str, code: int) -> None:
    pem, private = make_self_signed_certificate()
    entra.register_app(CLIENT_ID, certificate_pem=pem)
    sha256 = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256())
    named = {"x5t#S256": base64.urlsafe_b64encode(sha256).decode()} if thumbprint is None else {"x5t": thumbprint}
    assertion = jwt.encode({"aud": audience, "iss": CLIENT_ID, "sub": CLIENT_ID}, private, "RS256", headers=named)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"client_id": CLIENT_ID, "client_assertion_type": kind, "client_assertion": assertion}
    body = urlencode({"grant_type": "client_credentials", **form}).encode()

    refused = entra.handle(Request.of("POST", f"/{TENANT}/oauth2/v2.0/token", {}, body))

    assert refused.json()["error_codes"] == [code]


def test_a_revoked_refresh_token_gets_the_error_of_entra(entra: EntraEmulator, open_app: OpenApp) -> None:
    entra.fail_next(50173)

    refused = open_app(SECRET).acquire_token_by_refresh_token(entra.issue_refresh_token(), scopes=SCOPES)

    assert refused["error"] == "invalid_grant"
    assert refused["error_description"].startswith("AADSTS50173: ")


def test_a_server_of_another_authority_is_not_trusted(entra: EntraEmulator, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    with Server(entra.handle, tls=stranger.server_context()) as server, requests.Session() as session:
        session.trust_env = False
        session.verify = str(Authority(tmp_path / "ours").bundle)
        with pytest.raises(requests.exceptions.SSLError):
            msal.ConfidentialClientApplication(
                CLIENT_ID, client_credential=SECRET, authority=f"{server.url}/{TENANT}",
                instance_discovery=False, http_client=session,
            )  # fmt: skip
