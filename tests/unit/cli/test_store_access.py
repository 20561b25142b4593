"""A table that cannot be opened is reported with its reason: a role, the network, or the login."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.cli.exit_codes import Exit
from shared.cli.store_access import explain_refusal
from shared.doctor.finding import verdict_of_error
from shared.foundation.errors import StoreError, StoreUnavailable
from shared.store import table_client
from shared.store.rows import Put, Rows
from shared.store.table_storage_rows import open_tables
from shared.transport.retry import RetryPolicy
from tests.unit.cli.stand_in_az import StandInAz, put_on_path
from tests.unit.store.conftest import entity_answer, error_answer

CLOSED = Response(0, close=True)


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    monkeypatch.setattr(table_client, "RETRIES", RetryPolicy(1, 0.0))
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("account get-access-token", {"accessToken": "of-a-person", "expires_on": int(time.time()) + 3600})
    return az


class Table:
    """A table whose creation is refused; reads get `answer`."""

    answer = entity_answer()
    url = ""

    def __call__(self, request: Request) -> Response:
        is_write = request.method != "GET"
        return error_answer(403, "AuthorizationPermissionMismatch") if is_write else self.answer

    def opened(self, authority: Authority) -> AbstractContextManager[Rows]:
        bundle = str(authority.bundle)
        return open_tables(self.url, "cosell", client_id=None, ca_bundle=bundle, timeout=5, by_cli=True)

    def read(self, authority: Authority) -> bytes | None:
        with self.opened(authority) as rows:
            row = rows.get("O|1", "link")
        return row.data if row else None

    def refusal(self, authority: Authority) -> tuple[str, Exit] | None:
        with pytest.raises(StoreError) as caught:
            self.read(authority)
        return explain_refusal(caught.value)


@pytest.fixture
def table(authority: Authority) -> Iterator[Table]:
    table = Table()
    with Server(table, tls=authority.server_context()) as server:
        table.url = server.url
        yield table


@pytest.mark.usefixtures("az")
def test_who_may_only_read_can_look_although_the_table_cannot_be_created(table: Table, authority: Authority) -> None:
    assert table.read(authority) == b"base"


@pytest.mark.usefixtures("az")
@pytest.mark.parametrize(
    ("answer", "part", "code"),
    [
        (error_answer(403, "AuthorizationPermissionMismatch"), "Storage Table Data Reader", Exit.REFUSED),
        (error_answer(403, "AuthorizationFailure"), "network rules", Exit.REFUSED),
        (error_answer(403, "SomethingNew"), "has no role", Exit.REFUSED),
        (CLOSED, "private endpoint", Exit.RETRY),
    ],
)
def test_a_refusal_names_role_or_network(
    table: Table, authority: Authority, answer: Response, part: str, code: Exit
) -> None:
    table.answer = answer
    refusal = table.refusal(authority)
    assert refusal is not None
    assert (part in refusal[0], refusal[1]) == (True, code)


@pytest.mark.usefixtures("az")
def test_who_may_only_read_is_told_which_role_a_write_needs(table: Table, authority: Authority) -> None:
    with pytest.raises(StoreUnavailable, match="refused a write: 403 AuthorizationPermissionMismatch") as caught:
        write_to(table, authority)
    refusal = explain_refusal(caught.value)
    assert refusal is not None
    assert ("Contributor" in refusal[0], "Reader" in refusal[0], refusal[1]) == (True, False, Exit.REFUSED)


def write_to(table: Table, authority: Authority) -> None:
    with table.opened(authority) as rows:
        rows.write("O|1", [Put("link", b"base")])


@pytest.mark.usefixtures("az")
def test_a_check_names_role_or_network_too(table: Table, authority: Authority) -> None:
    table.answer = error_answer(403, "AuthorizationFailure")
    with pytest.raises(StoreError) as caught:
        table.read(authority)
    assert "network rules" in verdict_of_error(caught.value).remedy


def test_an_ended_login_is_named(az: StandInAz, table: Table, authority: Authority) -> None:
    az.answer("account get-access-token", err="ERROR: AADSTS700082: The refresh token has expired.", code=1)
    refusal = table.refusal(authority)
    assert refusal is not None
    assert ("az login" in refusal[0], refusal[1]) == (True, Exit.SIGN_IN)


def test_another_error_has_no_such_sentence() -> None:
    assert explain_refusal(StoreUnavailable("the database is locked")) is None
