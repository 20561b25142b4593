"""Who runs a command is stored with what they do: the Entra object id of the Azure login, or `local`."""

import logging
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.managed_identity.emulator import ManagedIdentity
from shared.app import App
from shared.cli.operator import object_id_in, operator_id, record_action
from shared.foundation.errors import SignInFailed
from shared.store.operator_rows import Action, store_action, stored_actions
from shared.store.sqlite_rows import SqliteRows
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

OID = "11111111-2222-4333-8444-555555555555"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    return put_on_path(tmp_path / "bin", monkeypatch)


@pytest.mark.usefixtures("systems")
def test_an_action_is_logged_and_stored(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), closing(App()) as app:
        record_action(app, "pause", "push")
        (stored,) = stored_actions(app.rows)
    assert (stored.action, stored.scope, stored.operator) == ("pause", "push", "local")
    assert '"event": "operator_action", "action": "pause", "scope": "push", "operator": "local"' in caplog.text


def test_the_newest_action_comes_first_and_old_ones_are_removed() -> None:
    with SqliteRows(":memory:") as rows:
        for days in (400, 300, 0):
            store_action(rows, Action(NOW - timedelta(days=days), "retry", str(days), OID))
        assert [action.scope for action in stored_actions(rows)] == ["0", "300"]


@pytest.mark.usefixtures("systems")
def test_in_azure_the_operator_is_the_object_id_of_the_login(az: StandInAz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORE_FILE")
    monkeypatch.setenv("STORE_TABLES_URL", "https://account.table.core.windows.net")
    end = int(time.time()) + 3600
    token = ManagedIdentity().tokens.issue({"aud": "https://storage.azure.com", "exp": end, "oid": OID.upper()})
    az.answer("account get-access-token", {"accessToken": token, "expires_on": end})
    with closing(App()) as app:
        assert operator_id(app) == OID
    az.answer("account get-access-token", err="ERROR: Please run 'az login' to setup account.", code=1)
    with closing(App()) as app, pytest.raises(SignInFailed) as failed:
        operator_id(app)
    assert "az login" in failed.value.remedy


@pytest.mark.parametrize("token", ["", "a.b.c", "a.e30.c", "a.eyJvaWQiOiAiQW5uIn0.c"])
def test_a_token_without_an_object_id_names_nobody(token: str) -> None:
    assert object_id_in(token) == "unknown"
