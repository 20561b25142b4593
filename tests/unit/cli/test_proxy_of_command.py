"""Every command uses the proxy of COSELL_PROXY, and says when a connection is blocked."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from infra.azure.deploy.__main__ import run_command
from infra.azure.deploy.session import Session
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.foundation.errors import ConfigurationError
from shared.transport.proxy import current_proxy, use_proxy
from tests.unit.cli.stand_in_az import StandInAz, put_on_path
from tests.unit.transport.connect_proxy import ConnectProxy, run_connect_proxy

pytestmark = pytest.mark.slow

BLOCKED = (
    "This machine could not connect to {}: allow the connection in the firewall, or name the proxy of this network"
)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with run_connect_proxy() as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _restored_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield
    use_proxy(None)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def deployed(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staging and the local run, both on the emulators, and without the Azure CLI login that staging would use."""
    monkeypatch.setenv("AZURE_CREDENTIAL", "managed")
    for name in ("staging", "local"):
        write_environment(Environment(name, systems.environ, {"function_app_url": "https://localhost:1"}))


@pytest.mark.usefixtures("deployed")
def test_all_calls_to_both_sides_and_the_vault_go_through_the_proxy(
    systems: Systems, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSELL_PROXY", proxy.address)
    result = CliRunner().invoke(app, ["doctor", "--env", "staging", "--json"])
    checks = {check["name"]: check["result"] for check in json.loads(result.stdout)["checks"]}
    assert (checks["vault"], checks["Partner Center sign-in"], checks["Salesforce sign-in"]) == ("ok", "ok", "ok")
    addresses = (
        systems.salesforce_url, systems.partner.url, systems.partner.entra_url, systems.environ["KEY_VAULT_URL"],
    )  # fmt: skip
    assert set(proxy.targets) == {urlsplit(address).netloc for address in addresses}
    assert os.environ["HTTPS_PROXY"] == proxy.address, "the Azure CLI uses it too"


@pytest.mark.usefixtures("deployed")
def test_the_local_run_uses_no_proxy(proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSELL_PROXY", proxy.address)
    CliRunner().invoke(app, ["webhook", "show", "--env", "local"])
    assert (proxy.targets, current_proxy()) == ([], None)


@pytest.mark.usefixtures("deployed")
def test_a_proxy_that_refuses_is_named_in_the_error_and_by_the_doctor(
    proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.refusal = 403
    monkeypatch.setenv("COSELL_PROXY", proxy.address)
    shown = CliRunner().invoke(app, ["webhook", "show", "--env", "staging"])
    sentence = f"The proxy {proxy.address} (COSELL_PROXY) opened no connection to localhost"
    assert (shown.exit_code, sentence in shown.output) == (5, True)
    doctor = CliRunner().invoke(app, ["doctor", "--env", "staging", "--json"])
    [vault] = [check for check in json.loads(doctor.stdout)["checks"] if check["name"] == "vault"]
    assert (vault["result"], vault["remedy"].startswith(sentence)) == ("failed", True)


@pytest.mark.usefixtures("deployed")
def test_a_blocked_connection_names_the_host_and_the_variable(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**systems.environ, "KEY_VAULT_URL": "https://kv-cosell.vault.example"}
    monkeypatch.delenv("KEY_VAULT_URL")
    write_environment(Environment("staging", settings))
    resolve = socket.getaddrinfo

    def resolve_only_this_machine(host: str, *rest: Any, **options: Any) -> object:  # noqa: ANN401 - passed through
        if host not in ("localhost", "127.0.0.1"):
            raise socket.gaierror(-2, "Name or service not known")
        return resolve(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_only_this_machine)
    result = CliRunner().invoke(app, ["webhook", "show", "--env", "staging"])
    assert (result.exit_code, BLOCKED.format("kv-cosell.vault.example") in result.output) == (5, True)


def test_a_wrong_address_is_one_sentence(deployed: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("COSELL_PROXY", "proxy.example:8080")
    result = CliRunner().invoke(app, ["doctor", "--env", "staging"])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "COSELL_PROXY: must be the http address of a proxy" in result.output


# --- the Azure CLI and the deployment


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    return put_on_path(tmp_path / "bin", monkeypatch)


@pytest.mark.usefixtures("deployed")
def test_an_azure_cli_that_cannot_connect_is_reported_in_the_same_way(
    systems: Systems, az: StandInAz, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = "HTTPSConnectionPool(host='login.azure.example', port=443): Max retries exceeded with url: /common"
    az.answer("functionapp config appsettings list", err=f"ERROR: {pool}", code=1)
    az.answer("account get-access-token", err=f"ERROR: {pool}", code=1)
    monkeypatch.setenv("AZURE_CREDENTIAL", "cli")
    deployment = {"FUNCTION_APP_NAME": "func", "AZURE_RESOURCE_GROUP": "rg", "AZURE_SUBSCRIPTION_ID": "0"}
    write_environment(Environment("staging", systems.environ, deployment))
    for words in (["turn-on"], ["webhook", "show"]):
        result = CliRunner().invoke(app, [*words, "--env", "staging"])
        assert (result.exit_code, BLOCKED.format("login.azure.example") in result.output) == (5, True), result.output


def test_a_deployment_uses_the_same_proxy(proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []

    def open_session(*_: object) -> Session:
        chosen.append(current_proxy())
        raise ConfigurationError("far enough for this test")

    monkeypatch.setenv("COSELL_PROXY", proxy.address)
    run_command(["deploy", "--env", "staging"], open_session)
    assert [each and each.address for each in chosen] == [proxy.address]
