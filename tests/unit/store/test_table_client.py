"""What the client of Table Storage does below the rows: it signs, it repeats, and it reads errors."""

import threading
import time
from collections.abc import Mapping

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store import azure_sign_in, table_storage_rows
from shared.store.azure_sign_in import StorageToken
from shared.store.rows import Insert, Put, RowChange
from shared.store.shared_key import SharedKey, read_connection_string
from shared.store.table_batch import etags_of_batch
from shared.store.table_client import TableClient
from shared.store.table_errors import TableRefusal
from shared.store.table_storage_rows import TableRows, open_tables
from shared.transport.deadline import call_deadline
from shared.transport.exchange import Answer, NoAnswer
from tests.unit.store.conftest import ETAG, ScriptedService, done_answer, error_answer

CHALLENGE = "Bearer authorization_uri=https://login.microsoftonline.com/t-2/oauth2/authorize resource_id=https://x"


# --- the account key


def test_the_signature_is_that_of_the_documented_text() -> None:
    """The text is the documented one of a request to `testaccount1`; OpenSSL has made the digest."""
    key = SharedKey("testaccount1", b"key of the example")
    signed = key.authorization("PUT", "/Tables", "text/plain; charset=UTF-8", "Sun, 11 Oct 2009 19:52:39 GMT")
    assert signed == "SharedKey testaccount1:UPVjIosqq5Rgtgb0quNlxd8KZarpC8myJyPpKuRDXZ4="


def test_a_connection_string_names_endpoint_and_key() -> None:
    endpoint, key = read_connection_string("AccountName=acme;AccountKey=a2V5;EndpointSuffix=core.windows.net;")
    assert (endpoint, key) == ("https://acme.table.core.windows.net", SharedKey("acme", b"key"))
    text = "accountname=acme; AccountKey=a2U9;TableEndpoint=http://127.0.0.1:1/acme/;EndpointSuffix=core.windows.net"
    assert read_connection_string(text) == ("http://127.0.0.1:1/acme", SharedKey("acme", b"ke="))
    for name in ("UseDevelopmentStorage=true", " usedevelopmentstorage=TRUE; "):
        endpoint, key = read_connection_string(name)
        assert (endpoint, key.account) == ("http://127.0.0.1:10002/devstoreaccount1", "devstoreaccount1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AccountName=a;AccountKey=a2V5",
        "AccountKey=a2V5;EndpointSuffix=x",
        "AccountName=a;AccountKey=s3cret?;EndpointSuffix=x",
    ],
)
def test_a_wrong_connection_string_is_never_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="STORE_CONNECTION_STRING") as caught:
        read_connection_string(text)
    assert "a2V5" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_key_is_never_shown() -> None:
    assert "secret" not in repr(SharedKey("acme", b"secret"))


# --- the token of an identity


class Identity:
    """A credential whose tokens are numbered and live 1,000 s; `failure` is raised instead, if it is set."""

    def __init__(self) -> None:
        self.now, self.tenants = 0.0, list[str | None]()
        self.failure: Exception | None = None

    def clock(self) -> float:
        return self.now

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **_: object
    ) -> AccessToken:
        assert claims is None
        assert scopes == (azure_sign_in.SCOPE,)
        if self.failure is not None:
            raise self.failure
        self.tenants.append(tenant_id)
        return AccessToken(f"t{len(self.tenants)}", int(self.now) + 1000)


@pytest.fixture
def identity() -> Identity:
    return Identity()


def header_of(token: StorageToken) -> str:
    return token.authorization("GET", "/", "", "")


def test_a_token_is_kept_until_five_minutes_before_its_end(identity: Identity) -> None:
    token = StorageToken(identity, identity.clock)
    headers = []
    for identity.now in (0.0, 699.0, 700.0, 1399.0):
        headers.append(header_of(token))
    assert headers == ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"]


@pytest.mark.parametrize("failure", [ClientAuthenticationError("for person@example.com"), ValueError("<html>")])
def test_without_a_token_the_table_is_not_asked(identity: Identity, failure: Exception) -> None:
    identity.failure = failure
    with pytest.raises(StoreUnavailable, match=f"no token: {type(failure).__name__}$"):
        header_of(StorageToken(identity, identity.clock))


def test_nobody_waits_longer_for_another_sign_in_than_the_call_may_take(identity: Identity) -> None:
    token, begun, done = StorageToken(identity, identity.clock), threading.Event(), threading.Event()

    def slow(*_: str, **__: object) -> AccessToken:
        begun.set()
        done.wait(60)
        return AccessToken("late", 1000)

    identity.get_token = slow  # type: ignore[method-assign]
    other = threading.Thread(target=header_of, args=(token,))
    other.start()
    assert begun.wait(60)
    with call_deadline(0.01), pytest.raises(StoreUnavailable, match="takes too long"):
        header_of(token)
    done.set()
    other.join(60)
    assert header_of(token) == "Bearer late"


def test_a_refused_token_is_replaced_once_by_one_of_the_tenant_that_the_service_names(
    identity: Identity, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    good = {"Bearer t1"}
    identity.now = time.time()

    def answer(request: Request) -> Response:
        seen.append((request.method, request.headers["authorization"]))
        if request.headers["authorization"] in good:
            return done_answer()
        return Response(401, b"", {"WWW-Authenticate": CHALLENGE})

    monkeypatch.setattr(table_storage_rows, "storage_credential", lambda **_: identity)
    with (
        Server(answer, tls=authority.server_context()) as server,
        open_tables(server.url, "rows", client_id=None, ca_bundle=str(authority.bundle), timeout=60) as rows,
    ):
        good = {"Bearer t2"}
        assert rows.write("O|1", [Insert("a", b"")]) == [ETAG]
        good = set()
        with pytest.raises(StoreUnavailable, match="401"):
            rows.write("O|1", [Insert("a", b"")])
    assert seen[1:] == [("POST", f"Bearer t{number}") for number in (1, 2, 2, 3)]
    assert identity.tenants == [None, "t-2", "t-2"]


def test_a_token_is_never_sent_without_tls() -> None:
    with pytest.raises(ValueError, match="https"):
        open_tables("http://127.0.0.1:9", "rows", client_id=None)


# --- repeats


class Network:
    """Stands in for the network: each failure is raised once, then comes an answer."""

    def __init__(self, *failures: NoAnswer) -> None:
        self.failures, self.sent = [*failures], 0

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        del method, target, headers, body
        self.sent += 1
        if self.failures:
            raise self.failures.pop(0)
        return Answer(204, {"etag": ETAG}, b"")

    def close(self) -> None:
        pass


def rows_over(network: Network) -> TableRows:
    client = TableClient("http://127.0.0.1:9/a", "rows", SharedKey("a", b"k"), ca_bundle=None, seconds=60)
    client._exchange = network  # type: ignore[assignment]
    return TableRows(client)


CHANGE: list[RowChange] = [Put("a", b"")]


@pytest.mark.usefixtures("no_retry_pauses")
def test_a_write_is_repeated_if_no_connection_was_opened() -> None:
    network = Network(NoAnswer("ConnectError", was_sent=False), NoAnswer("ConnectTimeout", was_sent=False))
    assert rows_over(network).write("O|1", CHANGE) == [ETAG]
    assert network.sent == 3


@pytest.mark.usefixtures("no_retry_pauses")
@pytest.mark.parametrize(("failures", "sent"), [([True], 1), ([False, True], 2), ([False] * 4, 3)])
def test_a_write_is_not_repeated_once_it_may_have_arrived(failures: list[bool], sent: int) -> None:
    network = Network(*(NoAnswer("ReadError", was_sent=was_sent) for was_sent in failures))
    with pytest.raises(StoreUnavailable, match=r"outcome is unknown: ReadError$"):
        rows_over(network).write("O|1", CHANGE)
    assert network.sent == sent


@pytest.mark.usefixtures("no_retry_pauses")
def test_a_conflict_after_a_connection_that_was_not_opened_is_one(
    connection_string: str, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answers = [error_answer(409, "EntityAlreadyExists")]
    with table_storage_rows.open_tables_from_connection_string(connection_string, "rows") as rows:
        send, failures = rows._client._exchange.send, [NoAnswer("ConnectError", was_sent=False)]

        def fail_once(*args: object, **options: object) -> Answer:
            if failures:
                raise failures.pop()
            return send(*args, **options)  # type: ignore[arg-type]  # passed through

        monkeypatch.setattr(rows._client._exchange, "send", fail_once)
        with pytest.raises(StoreConflict):
            rows.write("O|1", [Insert("a", b"")])


# --- errors


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            Answer(403, {}, b"\xef\xbb\xbf<m:error xmlns:m='x'><m:code>AuthenticationFailed</m:code></m:error>"),
            "403 AuthenticationFailed",
        ),
        (Answer(403, {}, b"<Error><Code>AuthorizationFailure</Code></Error>"), "403 AuthorizationFailure"),
        (Answer(400, {"x-ms-error-code": "InvalidInput"}, b""), "400 InvalidInput"),
        (Answer(400, {"x-ms-error-code": "person@example.com"}, b""), "400"),
        (Answer(400, {}, b'{"odata.error":{"code":"person@example.com","message":{"value":"x"}}}'), "400"),
        (Answer(500, {}, b'{"odata.error":[]}'), "500"),
        (Answer(500, {}, b"[1]"), "500"),
        (Answer(502, {}, b"<html>person@example.com</html>"), "502"),
    ],
)
def test_an_error_shows_status_and_code_only(answer: Answer, text: str) -> None:
    assert str(TableRefusal(answer)) == text


def part_of(status: str, *lines: str, body: str = "") -> str:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return "\r\n".join([f"--in\r\n{head}HTTP/1.1 {status}", *lines, "", body, ""])


def batch_of(*parts: str, end: str = "--in--\r\n--out--\r\n") -> Answer:
    text = "--out\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n" + "".join(parts) + end
    return Answer(202, {"content-type": 'multipart/mixed; boundary="out"'}, text.encode())


def test_a_transaction_may_answer_with_entities_and_with_headers_in_lower_case() -> None:
    first = part_of("201 Created", 'etag: W/"1"', "Content-Length: 9", body='{"d0":""}')
    assert etags_of_batch(batch_of(first, part_of("204 No Content"), part_of("204 ", 'ETag:W/"3"')), 3) == [
        'W/"1"',
        None,
        'W/"3"',
    ]


@pytest.mark.parametrize("end", ["", "--in--\r\n", "--in--\r\n--out"])
def test_a_transaction_whose_answer_lacks_its_end_is_not_believed(end: str) -> None:
    done = part_of("204 No Content", 'ETag: W/"1"')
    with pytest.raises(ValueError, match="not whole"):
        etags_of_batch(batch_of(done, done, end=end), 2)


def test_the_failed_change_of_a_transaction_is_known_by_its_number() -> None:
    body = '{"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"value":"17:The condition\\n"}}}'
    with pytest.raises(TableRefusal) as caught:
        etags_of_batch(batch_of(part_of("412 Precondition Failed", "Retry-After: 3", body=body)), 40)
    refusal = caught.value
    assert (refusal.index, refusal.code, refusal.after, refusal.is_conflict) == (
        17,
        "UpdateConditionNotSatisfied",
        3.0,
        True,
    )
