"""Sign-in: tokens are kept, threads redeem one at a time, and the refresh token is renewed."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from shared.clients.partner_center.sign_in import AppRegistration, PartnerCenterSignIn
from shared.foundation.errors import ConfigurationError, ConsentNeeded, SignInFailed, StoreUnavailable, Unavailable
from shared.transport.deadline import call_deadline
from tests.unit.clients.counted_lock import CountedLock
from tests.unit.clients.partner_center.scripted_sign_in import NAMES, TENANT, FakeVault, SignInScene, refusal_response


def test_a_refresh_token_is_redeemed_for_one_audience(scene: SignInScene) -> None:
    assert scene.sign_in.token() == "access-1"

    form = scene.entra.forms[0]
    assert (form["grant_type"], form["refresh_token"], form["client_id"]) == ("refresh_token", "refresh-0", "app-id")
    assert form["client_secret"] == "secret-0"
    assert "https://api.partner.microsoft.com/.default" in form["scope"].split()


@pytest.mark.parametrize(
    ("life", "last_good", "first_late"), [(3600, 3299, 3300), ("3599", 3298, 3299), (400, 199, 200)]
)
def test_a_token_is_kept_until_five_minutes_before_its_end(
    scene: SignInScene, life: object, last_good: float, first_late: float
) -> None:
    scene.entra.life = life
    scene.sign_in.token()

    scene.now = last_good
    assert scene.sign_in.token() == "access-1"
    scene.now = first_late
    assert scene.sign_in.token() == "access-2"


def test_a_refused_token_is_replaced_at_once(scene: SignInScene) -> None:
    assert [scene.sign_in.token(), scene.sign_in.token(force=True), scene.sign_in.token()] == [
        "access-1",
        "access-2",
        "access-2",
    ]


def test_the_new_refresh_token_is_stored_and_used_next(scene: SignInScene) -> None:
    scene.sign_in.token()
    scene.sign_in.token(force=True)

    assert scene.redeemed_tokens == ["refresh-0", "refresh-1"]
    assert scene.vault.stored["rt"] == "refresh-2"
    assert scene.events == []


@pytest.mark.parametrize("withheld", [None, "", 5])
def test_without_a_new_refresh_token_the_former_one_stays(scene: SignInScene, withheld: object) -> None:
    scene.entra.script = [{"refresh_token": withheld}]

    assert scene.sign_in.token() == "access-1"
    assert scene.vault.stored["rt"] == "refresh-0"


def test_a_refresh_token_that_could_not_be_stored_is_logged_and_stored_next_time(scene: SignInScene) -> None:
    scene.vault.broken = StoreUnavailable("vault down, refresh-1")

    assert scene.sign_in.token() == "access-1"
    assert scene.events == [("refresh_token_not_stored", {"name": "rt", "error": "StoreUnavailable"})]

    scene.vault.broken = None
    scene.entra.script = [{"refresh_token": None}]
    assert scene.sign_in.token(force=True) == "access-2"
    assert scene.redeemed_tokens == ["refresh-0", "refresh-1"]
    assert scene.vault.stored["rt"] == "refresh-1"


def test_a_refused_unsaved_refresh_token_is_replaced_by_the_vaults(scene: SignInScene) -> None:
    scene.vault.broken = StoreUnavailable("vault down")
    scene.sign_in.token()
    scene.vault.stored["rt"] = "refresh-by-hand"
    scene.entra.script = [refusal_response(50173)]

    assert scene.sign_in.token(force=True) == "access-3"
    assert scene.redeemed_tokens == ["refresh-0", "refresh-1", "refresh-by-hand"]


def test_a_new_client_secret_is_used_without_a_refusal(scene: SignInScene) -> None:
    scene.sign_in.token()
    scene.vault.set("secret", "secret-1")
    scene.sign_in.token(force=True)

    assert [form["client_secret"] for form in scene.entra.forms] == ["secret-0", "secret-1"]


def test_many_threads_share_one_redemption(scene: SignInScene) -> None:
    waiting = threading.Barrier(8)

    def ask(_: int) -> str:
        waiting.wait()
        return scene.sign_in.token()

    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(ask, range(8)))

    assert (tokens, len(scene.entra.forms)) == ({"access-1"}, 1)


def test_threads_that_waited_for_a_forced_redemption_use_its_token(
    scene: SignInScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.sign_in.token()
    lock = CountedLock()
    monkeypatch.setattr(scene.sign_in._refresh_token, "lock", lock)
    # The redemption ends only when all four threads have reached the lock.
    scene.entra.hold = lambda: lock.wait_for(4)

    with ThreadPoolExecutor(4) as pool:
        tokens = set(pool.map(lambda _: scene.sign_in.token(force=True), range(4)))

    assert (tokens, len(scene.entra.forms)) == ({"access-2"}, 2)


def test_a_call_does_not_wait_for_another_thread_beyond_its_deadline(scene: SignInScene) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait(60)

    scene.entra.hold = hold
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(scene.sign_in.token)
        assert entered.wait(60)
        with call_deadline(0.02), pytest.raises(Unavailable, match="another thread"):
            scene.sign_in.token()
        go_on.set()
        assert first.result() == "access-1"


def test_secrets_are_sent_only_to_the_configured_host(scene: SignInScene) -> None:
    scene.entra.token_host = "evil.example"

    with pytest.raises(SignInFailed, match="another host"):
        scene.sign_in.token()

    assert scene.entra.forms == []


@pytest.mark.parametrize("authority", ["http://login.example", "login.example", "", "https://", "https://u:p@a", "[::"])
def test_an_authority_that_is_not_https_stops_the_start(authority: str) -> None:
    with httpx.Client() as http, pytest.raises(ConfigurationError, match="Example: https"):
        PartnerCenterSignIn(FakeVault(), AppRegistration(TENANT, "app", authority=authority), http=http, log=print)


def test_a_missing_tenant_stops_the_start() -> None:
    with httpx.Client() as http, pytest.raises(ConfigurationError, match="tenant"):
        PartnerCenterSignIn(FakeVault(), AppRegistration("", "app"), http=http, log=print)


def test_a_certificate_is_preferred_to_a_client_secret(scene: SignInScene) -> None:
    pem = trustme.CA(key_type=trustme.KeyType.RSA).issue_cert("app.example", key_type=trustme.KeyType.RSA)
    scene.vault.stored["cert"] = pem.private_key_and_cert_chain_pem.bytes().decode()

    assert scene.sign_in.token() == "access-1"

    form = scene.entra.forms[0]
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    certificate = load_pem_x509_certificate(pem.cert_chain_pems[0].bytes())
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    claims = jwt.decode(form["client_assertion"], key, ["PS256"], {"verify_aud": False})
    assert (claims["iss"], claims["aud"]) == ("app-id", f"https://login.example/{TENANT}/oauth2/v2.0/token")
    assert "client_secret" not in form


def test_a_certificate_that_cannot_be_read_is_named_without_its_content(scene: SignInScene) -> None:
    scene.vault.stored["cert"] = "-----BEGIN PRIVATE KEY-----\nMIISECRET\n-----END PRIVATE KEY-----"

    with pytest.raises(SignInFailed) as unreadable:
        scene.sign_in.token()

    assert "PEM" in unreadable.value.remedy
    assert "MIISECRET" not in str(unreadable.value)


@pytest.mark.parametrize(
    ("missing", "raised", "code"),
    [("rt", ConsentNeeded, "refreshTokenMissing"), ("secret", SignInFailed, "credentialMissing")],
)
def test_a_missing_secret_has_a_code_of_its_own(
    scene: SignInScene, missing: str, raised: type[SignInFailed], code: str
) -> None:
    del scene.vault.stored[missing]

    with pytest.raises(raised) as empty:
        scene.sign_in.token()

    assert empty.value.code == code
    assert scene.entra.forms == []


def test_msal_is_not_imported_before_the_first_redemption() -> None:
    code = "import sys, shared.clients.partner_center.sign_in; sys.exit('msal' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - a command of this test


def test_a_public_registration_redeems_without_a_credential(scene: SignInScene) -> None:
    app = AppRegistration(TENANT, "app-id", authority="https://login.example", public=True)
    sign_in = PartnerCenterSignIn(scene.vault, app, http=scene.http, log=print, secrets=NAMES)
    scene.vault.stored.pop("secret")

    assert sign_in.token() == "access-1"
    assert not scene.entra.forms[0].keys() & {"client_secret", "client_assertion"}
    assert scene.vault.stored["rt"] == "refresh-1"
