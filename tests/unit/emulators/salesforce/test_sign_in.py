"""Sign-in with a JWT assertion, sessions and userinfo (docs/reference/salesforce.md#sign-in-with-a-jwt-assertion)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USERNAME = "integration@partner.example"
HOME = "https://acme.example"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _make_certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cosell")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _claims(emulator: SalesforceEmulator, **changes: object) -> dict[str, Any]:
    expiry = int(emulator.clock.now().timestamp()) + 180
    return {"iss": "key", "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": expiry, **changes}


def _sign_in(emulator: SalesforceEmulator, assertion: str, grant: str = GRANT) -> Response:
    body = urlencode({"grant_type": grant, "assertion": assertion}).encode()
    return emulator.handle(Request.of("POST", "/services/oauth2/token", {"Host": "acme.example"}, body))


def _call_data_api(emulator: SalesforceEmulator, token: str) -> Response:
    path = "/services/data/v66.0/sobjects"
    return emulator.handle(Request.of("GET", path, {"Authorization": f"Bearer {token}"}))


@pytest.fixture
def registered(emulator: SalesforceEmulator, key: rsa.RSAPrivateKey) -> str:
    return emulator.register_connected_app("key", _make_certificate(key), USERNAME)


def test_an_assertion_gives_a_token_that_the_data_api_accepts(
    emulator: SalesforceEmulator, key: rsa.RSAPrivateKey, registered: str
) -> None:
    answer = _sign_in(emulator, jwt.encode(_claims(emulator), key, "RS256")).json()
    assert answer["id"] == f"{HOME}/id/{emulator.organization}/{registered}"
    assert (answer["instance_url"], answer["token_type"]) == (HOME, "Bearer")
    assert answer["access_token"].startswith(f"{emulator.organization[:15]}!")
    assert not {"refresh_token", "expires_in"} & set(answer)
    assert _call_data_api(emulator, answer["access_token"]).status == 200
    assert [entry.tags[0] for entry in emulator.journal] == ["oauth", "describe.global"]


@pytest.mark.parametrize("audience", ["https://login.salesforce.com", "https://test.salesforce.com/", HOME, f"{HOME}/"])
@pytest.mark.parametrize("form", ["number", "string", "milliseconds"])
@pytest.mark.usefixtures("registered")
def test_every_form_of_audience_and_expiry_that_real_clients_send_is_accepted(
    emulator: SalesforceEmulator, key: rsa.RSAPrivateKey, audience: str, form: str
) -> None:
    seconds = int(emulator.clock.now().timestamp()) + 180
    expiry = {"number": seconds, "string": str(seconds), "milliseconds": (seconds - 180) * 1000 + 300}[form]
    assertion = jwt.encode(_claims(emulator, aud=audience, exp=expiry), key, "RS256")
    assert _sign_in(emulator, assertion).status == 200


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"iss": "stranger"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@partner.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"sub": "sam.seller@partner.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1}, "invalid_grant", "assertion expired"),
        ({"exp": 4_000_000_000}, "invalid_grant", "assertion expired"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
@pytest.mark.usefixtures("registered")
def test_a_wrong_claim_is_refused_with_the_texts_of_the_service(
    emulator: SalesforceEmulator, key: rsa.RSAPrivateKey, changes: dict[str, object], error: str, description: str
) -> None:
    answer = _sign_in(emulator, jwt.encode(_claims(emulator, **changes), key, "RS256"))
    assert answer.status == 400
    assert answer.json() == {"error": error, "error_description": description}


@pytest.mark.usefixtures("registered")
def test_only_the_registered_key_may_sign(emulator: SalesforceEmulator) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = _sign_in(emulator, jwt.encode(_claims(emulator), stranger, "RS256"))
    assert answer.json()["error"] == "invalid_grant"
    unsigned = jwt.encode(_claims(emulator), "", "none")
    assert _sign_in(emulator, unsigned).json()["error"] == "invalid_grant"
    assert _sign_in(emulator, "no.jwt").json()["error"] == "invalid_grant"


def test_other_grant_types_are_refused(emulator: SalesforceEmulator) -> None:
    answer = _sign_in(emulator, "", "client_credentials")
    assert (answer.status, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_body_that_is_not_a_form_is_refused(emulator: SalesforceEmulator) -> None:
    answer = emulator.handle(Request.of("POST", "/services/oauth2/token", {}, b"\xff"))
    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")


def test_a_key_that_is_not_rsa_is_refused_at_registration(emulator: SalesforceEmulator) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="RSA"):
        emulator.register_connected_app("key", pem, USERNAME)


def test_a_session_lives_two_hours_after_its_last_use(emulator: SalesforceEmulator) -> None:
    token = emulator.oauth.issue_session_id(emulator.seller)
    for _ in range(3):
        emulator.clock.advance(7_100)
        assert _call_data_api(emulator, token).status == 200
    emulator.clock.advance(7_200)
    answer = _call_data_api(emulator, token)
    assert answer.status == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_userinfo_names_the_user_of_a_token(emulator: SalesforceEmulator) -> None:
    token = emulator.oauth.issue_session_id(emulator.seller)
    request = Request.of("GET", "/services/oauth2/userinfo", {"Authorization": f"Bearer {token}"})
    answer = emulator.handle(request).json()
    assert (answer["user_id"], answer["organization_id"]) == (emulator.seller, emulator.organization)
    stranger = Request.of("GET", "/services/oauth2/userinfo", {"Authorization": "Bearer x"})
    assert (emulator.handle(stranger).status, emulator.handle(stranger).body) == (403, b"Bad_OAuth_Token")


def test_a_reset_keeps_registered_apps_and_ends_sessions(
    emulator: SalesforceEmulator, key: rsa.RSAPrivateKey, registered: str
) -> None:
    token = _sign_in(emulator, jwt.encode(_claims(emulator), key, "RS256")).json()["access_token"]
    emulator.handle(Request.of("POST", "/_control/reset", {}))
    assert _call_data_api(emulator, token).status == 401
    renewed = _sign_in(emulator, jwt.encode(_claims(emulator), key, "RS256")).json()
    assert renewed["id"].endswith(registered)
