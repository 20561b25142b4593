"""A table that cannot be opened is reported with its reason: a role, the network, or the login."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.cli.exit_codes import Exit
from shared.cli.store_access import explain_refusal
from shared.foundation.errors import StoreError, StoreUnavailable
from shared.store import table_storage_rows
from shared.store.table_storage_rows import open_tables
from tests.unit.cli.stand_in_az import StandInAz, put_on_path
from tests.unit.store.conftest import entity_answer, error_answer

CLOSED = Response(0, close=True)


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    monkeypatch.setattr(table_storage_rows, "_RETRIES", {"retry_total": 0})
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("account get-access-token", {"accessToken": "of-a-person", "expires_on": int(time.time()) + 3600})
    return az


class Table:
    """A table whose creation is refused; reads get `answer`."""

    answer = entity_answer()
    url = ""

    def __call__(self, request: Request) -> Response:
        is_creation = request.method == "POST"
        return error_answer(403, "AuthorizationPermissionMismatch") if is_creation else self.answer

    def read(self, authority: Authority) -> bytes | None:
        with open_tables(
            self.url, "cosell", client_id=None, ca_bundle=str(authority.bundle), timeout=5, by_cli=True
        ) as rows:
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
        (error_answer(403, "SomethingNew"), "lacks a role", Exit.REFUSED),
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


def test_an_ended_login_is_named(az: StandInAz, table: Table, authority: Authority) -> None:
    az.answer("account get-access-token", err="ERROR: AADSTS700082: The refresh token has expired.", code=1)
    refusal = table.refusal(authority)
    assert refusal is not None
    assert ("az login" in refusal[0], refusal[1]) == (True, Exit.SIGN_IN)


def test_another_error_has_no_such_sentence() -> None:
    assert explain_refusal(StoreUnavailable("the database is locked")) is None
