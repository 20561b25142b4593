import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.foundation.errors import (
    ConfigurationError,
    ConsentNeeded,
    CosellError,
    SignInFailed,
    Throttled,
    Unavailable,
)
from tests.unit.clients.counted_lock import CountedLock
from tests.unit.clients.salesforce.fake_salesforce import LOGIN, NOW, FakeSalesforce, ManualClock, MemoryVault, new_pem


def refusal_answer(error: str, description: str = "", status: int = 400) -> Response:
    return Response.of({"error": error, "error_description": description}, status)


def claims_of(request: Request, pem: str) -> dict[str, object]:
    private = load_pem_private_key(pem.encode(), None)
    assert isinstance(private, RSAPrivateKey)
    claims: dict[str, object] = jwt.decode(
        request.form()["assertion"],
        private.public_key(),
        ["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    return claims


def hold_grant(
    salesforce: SalesforceClient, threads: int, answer: Callable[[], Response], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Request], Response]:
    """A grant that is answered only when so many threads wait for the sign-in."""
    lock = CountedLock()
    monkeypatch.setattr(salesforce.connection._sign_in, "_turn", lock)

    def grant(_: Request) -> Response:
        lock.wait_for(threads)
        return answer()

    return grant


def test_the_assertion_is_signed_with_the_key_of_the_vault_and_valid_for_three_minutes(
    salesforce: SalesforceClient, fake: FakeSalesforce, pem: str
) -> None:
    salesforce.organization_id()
    [request] = fake.sign_in_requests
    assert request.form()["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert claims_of(request, pem) == {
        "iss": "CONSUMER",
        "sub": "integration@example.com",
        "aud": "https://login.salesforce.com",
        "exp": int(NOW.timestamp()) + 180,
    }


def test_the_org_is_known_from_sign_in_without_a_data_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.organization_id() == "00D000000000001EAA"
    assert salesforce.organization_id() == "00D000000000001EAA"
    assert (len(fake.sign_in_requests), len(fake.data_requests)) == (1, 0)


def test_the_user_is_known_from_sign_in_without_a_data_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.user_id() == "005000000000001AAA"
    assert (len(fake.sign_in_requests), len(fake.data_requests)) == (1, 0)


def test_a_token_is_renewed_after_an_hour(
    salesforce: SalesforceClient, fake: FakeSalesforce, clock: ManualClock
) -> None:
    salesforce.describe("Opportunity")
    clock.seconds += 3599
    salesforce.describe("Opportunity")
    assert len(fake.sign_in_requests) == 1
    clock.seconds += 1
    salesforce.describe("Opportunity")
    assert len(fake.sign_in_requests) == 2
    assert fake.data_requests[-1].headers["authorization"] == "Bearer 00DSECRET!2"


def test_many_threads_share_one_sign_in(
    salesforce: SalesforceClient, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.grant = hold_grant(salesforce, 20, fake.token_answer, monkeypatch)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: salesforce.organization_id(), range(20)))
    assert len(fake.sign_in_requests) == 1


def test_waiting_threads_share_the_error_too(
    salesforce: SalesforceClient, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = []
    fake.grant = hold_grant(salesforce, 8, lambda: refusal_answer("invalid_client_id"), monkeypatch)

    def sign_in(_: int) -> None:
        try:
            salesforce.organization_id()
        except SignInFailed as error:
            codes.append(error.code)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sign_in, range(8)))
    assert codes == ["invalid_client_id"] * 8
    assert len(fake.sign_in_requests) == 1


def test_a_later_call_tries_again_after_a_failure(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.grant = lambda _: refusal_answer("inactive_user")
    with pytest.raises(SignInFailed):
        salesforce.organization_id()
    fake.grant = lambda _: fake.token_answer()
    assert salesforce.organization_id() == "00D000000000001EAA"


def test_a_rotated_key_is_read_fresh_and_tried_once(
    salesforce: SalesforceClient, fake: FakeSalesforce, vault: MemoryVault
) -> None:
    vault.stored_pem = new_pem()

    def grant(request: Request) -> Response:
        try:
            claims_of(request, vault.stored_pem)
        except jwt.InvalidSignatureError:
            return refusal_answer("invalid_grant", "invalid assertion")
        return fake.token_answer()

    fake.grant = grant
    assert salesforce.organization_id()
    assert (len(fake.sign_in_requests), vault.fresh_reads) == (2, 1)


def test_the_same_key_is_not_tried_twice(
    salesforce: SalesforceClient, fake: FakeSalesforce, vault: MemoryVault
) -> None:
    fake.grant = lambda _: refusal_answer("invalid_grant", "authentication failure")
    with pytest.raises(SignInFailed) as caught:
        salesforce.organization_id()
    assert (caught.value.code, len(fake.sign_in_requests), vault.fresh_reads) == ("invalid_grant", 1, 1)


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (refusal_answer("invalid_grant", "user hasn't approved this consumer"), ConsentNeeded, "Pre-authorise"),
        (
            refusal_answer("invalid_grant", "user is not admin approved to access this app"),
            ConsentNeeded,
            "Pre-authorise",
        ),
        (refusal_answer("invalid_app_access", "x"), ConsentNeeded, "Pre-authorise"),
        (refusal_answer("invalid_grant", "audience is invalid"), SignInFailed, "audience"),
        (refusal_answer("invalid_grant", "assertion expired"), SignInFailed, "clock"),
        (refusal_answer("invalid_grant", "request not supported on this domain"), SignInFailed, "My Domain"),
        (refusal_answer("invalid_client", "invalid client credentials", 401), SignInFailed, "certificate"),
        (
            refusal_answer("app_not_found", "External client app is not installed in this org"),
            SignInFailed,
            "My Domain",
        ),
        (refusal_answer("inactive_org"), SignInFailed, "administrator"),
        (refusal_answer("brand_new_error"), SignInFailed, "consumer key"),
    ],
)
def test_a_refused_sign_in_has_a_code_and_a_remedy(
    salesforce: SalesforceClient, fake: FakeSalesforce, answer: Response, kind: type[SignInFailed], hint: str
) -> None:
    fake.grant = lambda _: answer
    with pytest.raises(SignInFailed) as caught:
        salesforce.organization_id()
    assert type(caught.value) is kind
    assert hint in caught.value.remedy
    assert caught.value.code == json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(503, b"<html>Maintenance</html>", {"Content-Type": "text/html"}), Unavailable),
        (Response(200, b""), Unavailable),
        (Response.of([]), Unavailable),
        (Response.of({"access_token": ""}), Unavailable),
        (refusal_answer("rate_limit_exceeded"), Throttled),
        (refusal_answer("unknown_error", status=500), Unavailable),
    ],
)
def test_an_answer_without_a_refusal_is_a_temporary_error(
    salesforce: SalesforceClient, fake: FakeSalesforce, answer: Response, kind: type[CosellError]
) -> None:
    fake.grant = lambda _: answer
    with pytest.raises(kind):
        salesforce.organization_id()


def test_a_token_answer_that_does_not_name_the_org_is_unreadable(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.grant = lambda _: fake.token_answer(id=None)
    with pytest.raises(Unavailable, match="org"):
        salesforce.organization_id()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "http://acme.my.salesforce.com",
        "https://salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://127.0.0.1",
        "https://user@acme.my.salesforce.com",
        "https://acme.my.salesforce.com/path",
        "",
    ],
)
def test_a_token_is_never_sent_to_a_foreign_host(
    salesforce: SalesforceClient, fake: FakeSalesforce, address: str
) -> None:
    fake.grant = lambda _: fake.token_answer(instance_url=address)
    with pytest.raises(ConfigurationError):
        salesforce.describe("Opportunity")
    assert fake.data_requests == []


def test_a_token_may_be_sent_to_another_host_of_salesforce(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.grant = lambda _: fake.token_answer(instance_url="https://na139.salesforce.com/")
    salesforce.describe("Opportunity")
    assert fake.addresses == ["https://na139.salesforce.com/services/data/v66.0/sobjects/Opportunity/describe"]


def test_an_unusable_key_is_reported_by_the_name_of_its_secret(
    salesforce: SalesforceClient, vault: MemoryVault, fake: FakeSalesforce
) -> None:
    vault.pem = vault.stored_pem = "hunter2"
    with pytest.raises(ConfigurationError, match="salesforce-key") as caught:
        salesforce.organization_id()
    assert "hunter2" not in str(caught.value)
    assert fake.sign_in_requests == []


def test_a_key_kept_on_one_line_is_understood(salesforce: SalesforceClient, vault: MemoryVault) -> None:
    vault.pem = vault.pem.replace("\n", "\\n")
    assert salesforce.organization_id()


def test_neither_token_nor_assertion_shows_in_errors_and_reprs(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.grant = lambda _: refusal_answer("invalid_grant", "integration@example.com is not admin approved")
    with pytest.raises(ConsentNeeded) as caught:
        salesforce.organization_id()
    assert "@" not in str(caught.value)
    fake.grant = lambda _: fake.token_answer()
    assert "SECRET" not in repr(salesforce.connection.current_token())


@pytest.mark.parametrize("address", ["http://acme.my.salesforce.com", "acme.my.salesforce.com", "https://a.b/c?d"])
def test_a_login_address_must_be_plain_https(vault: MemoryVault, address: str) -> None:
    with pytest.raises(ConfigurationError, match="login address"):
        open_salesforce(login_url=address, client_id="c", username="u", key_name="k", vault=vault)


def test_the_api_version_must_be_a_number(vault: MemoryVault) -> None:
    with pytest.raises(ConfigurationError, match=r"66\.0"):
        open_salesforce(login_url=LOGIN, client_id="c", username="u", key_name="k", vault=vault, version="v66")
