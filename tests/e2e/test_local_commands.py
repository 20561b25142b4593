"""`make serve` and the command of each system start, print their addresses, serve, and stop at a signal."""

import json
import re
import shlex
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from local.systems import ROOT
from shared.cli.environment import read_environment
from shared.mapping.validation import load_mapping
from tests.e2e.processes import run_python, start_python
from tests.e2e.test_app_start import GOOD_SETTINGS

pytestmark = pytest.mark.slow

EVERY_SECOND = "* * * * * *"
SERVE_COMMAND = ("-m", "local.serve")


def https_client(bundle: str | Path | None = None) -> httpx.Client:
    verify = ssl.create_default_context(cafile=bundle) if bundle else False
    return httpx.Client(verify=verify, trust_env=False, timeout=60)


def run_as_printed(command: str) -> str:
    """Run a printed command without a shell's settings, and return the id in its answer."""
    completed = subprocess.run(shlex.split(command), check=True, capture_output=True)  # noqa: S603 - as printed
    identifier: str = json.loads(completed.stdout)["id"]
    return identifier


def test_make_serve_runs_the_timers_on_schedule_until_it_is_interrupted(tmp_path: Path) -> None:
    schedules = ("--push-schedule", EVERY_SECOND, "--sweep-schedule", EVERY_SECOND)
    with start_python(*SERVE_COMMAND, "--port", "0", *schedules, folder=tmp_path) as served:
        microsoft_sends = served.read_until(r"^curl --cacert .*/microsoft-sends$")[0]
        seller_creates = served.read_until(r"^curl --cacert .*/insert$")[0]
        served.read_until(r'"push_done"')
        referral = run_as_printed(microsoft_sends)
        served.read_until(rf'"opportunity_created".*"{referral}"')
        opportunity = run_as_printed(seller_creates)
        served.read_until(rf'"referral_created".*"{opportunity}"')
        served.read_until(r'"sweep_done"')
        served.read_until(r'"push_done"')
        code, output = served.stop_and_read()

    assert code == 0, output
    assert output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in output
    assert not list(tmp_path.rglob("local.toml"))


def test_make_serve_honours_the_mapping_file_and_the_mode_of_the_shell(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('extends = "default"\n\n[fields.team]\ndefault_phone = "+49 30 123456"\n')
    mapping_hash = load_mapping(tmp_path / "my.toml")[1]
    chosen = {"MAPPING": "my.toml", "SYNC": "preview"}
    with start_python(*SERVE_COMMAND, "--port", "0", folder=tmp_path, **chosen) as served:
        host = served.read_until(r"^Functions host +(https://localhost:\d+)$")[1]
        key = served.read_until(r"^Function key +(\S+)$")[1]
        bundle = served.read_until(r"^CA bundle +(\S+)$")[1]
        assert served.read_until(r"^Mapping +(\S+)$")[1] == str(tmp_path / "my.toml")
        assert served.read_until(r"^Sync +(\S+)$")[1] == "preview"
        served.read_until("With SYNC=preview the connector writes nothing")
        with https_client(bundle) as http:
            health = http.get(f"{host}/api/health", headers={"x-functions-key": key}).json()
        published = read_environment("local", tmp_path / ".cosell").settings
        served.stop_and_read()

    assert (health["mode"], health["mapping"]) == ("preview", mapping_hash)
    assert (published["SYNC"], published["MAPPING"]) == ("preview", str(tmp_path / "my.toml"))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"MAPPING": "none.toml"},
            r"MAPPING: the file \S+/none\.toml does not exist \(example: MAPPING=my\.toml make serve\)",
        ),
        ({"SYNC": "maybe"}, r".*SYNC: .* \(example: SYNC=on\)"),
    ],
)
def test_a_wrong_choice_of_the_shell_is_one_sentence(tmp_path: Path, chosen: dict[str, str], message: str) -> None:
    completed = run_python(*SERVE_COMMAND, "--port", "0", folder=tmp_path, **chosen)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert re.fullmatch(rf"Cannot serve: {message}\n", completed.stderr)


def test_a_second_make_serve_leaves_the_file_of_the_first_one(tmp_path: Path) -> None:
    file = tmp_path / ".cosell" / "local.toml"
    with start_python(*SERVE_COMMAND, "--port", "0", folder=tmp_path) as first:
        first.read_until("one on each line")
        published = file.read_text()
        with start_python(*SERVE_COMMAND, "--port", "0", folder=tmp_path) as second:
            second.read_until("Another make serve runs in this folder")
            assert second.stop_and_read()[0] == 0
        assert file.read_text() == published
        assert first.stop_and_read()[0] == 0
    assert not file.exists()


def test_make_serve_prints_whole_addresses_and_keys_on_a_narrow_terminal(tmp_path: Path) -> None:
    with start_python(*SERVE_COMMAND, "--port", "0", folder=tmp_path, COLUMNS="40") as served:
        host = served.read_until(r"^Functions host +(https://localhost:\d+)$")[1]
        master = served.read_until(r"^Master key +(\S{43})$")[1]
        bundle = served.read_until(r"^CA bundle +(\S+)$")[1]
        served.read_until("one on each line")
        with https_client(bundle) as http:
            functions = http.get(f"{host}/admin/functions", headers={"x-functions-key": master})
        served.stop_and_read()

    assert functions.status_code == 200


SINGLE_COMMANDS = (
    "emulators salesforce",
    "emulators partner-center",
    "emulators entra",
    "emulators key-vault",
    "emulators managed-identity",
    "local.host",
)


@pytest.mark.parametrize("name", SINGLE_COMMANDS)
def test_a_taken_port_is_one_sentence_that_offers_a_free_port(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        completed = run_python("-m", *name.split(), "--port", str(port), folder=tmp_path)

    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr == f"Cannot serve: port {port} is in use; --port=0 uses a free port\n"


def test_make_serve_names_the_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        completed = run_python(*SERVE_COMMAND, "--port", str(port - 1), folder=tmp_path)

    assert (completed.returncode, completed.stdout) == (2, "")
    assert re.fullmatch(r"Cannot serve: port \d+ is in use; make serve PORT=0 uses a free port\n", completed.stderr)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "emulators salesforce --port 99999",
            "port 99999 does not exist: ports go from 1 to 65535; --port=0 uses a free port",
        ),
        (
            "emulators partner-center --port 65534",
            "port 65536 does not exist: ports go from 1 to 65535; --port=0 uses a free port",
        ),
        (
            "emulators entra --port -1",
            "port -1 does not exist: ports go from 1 to 65535; --port=0 uses a free port",
        ),
        (
            "emulators key-vault --identity-port -1",
            "port -1 does not exist: ports go from 1 to 65535; --identity-port=0 uses a free port",
        ),
        (
            "emulators salesforce --metadata none",
            "none is not an sfdx source project: none/sfdx-project.json is missing",
        ),
        (
            "emulators partner-center --port 0 --events nonsense",
            "Cannot serve: --events: 'nonsense' is not an absolute http address",
        ),
        (
            "local.host --port 0 --queue-file none/queues",
            "Cannot serve: --queue-file none/queues: unable to open database",
        ),
        (
            "emulators key-vault --secret a_b=1",
            "argument --secret: a secret's name has only letters, digits and hyphens: a_b",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence_and_status_2(tmp_path: Path, command: str, message: str) -> None:
    completed = run_python("-m", *command.split(), folder=tmp_path)

    assert (completed.returncode, completed.stdout) == (2, "")
    assert message in completed.stderr.splitlines()[-1]
    assert "Traceback" not in completed.stderr


def test_one_port_cannot_serve_two_systems(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free_socket:
        port = str(free_socket.getsockname()[1])
    completed = run_python("-m", "emulators", "key-vault", "--port", port, "--identity-port", port, folder=tmp_path)

    assert (completed.returncode, completed.stderr) == (
        2,
        f"Cannot serve: port {port} is in use; --port=0 uses a free port\n",
    )


@pytest.mark.parametrize("written", [None, "no certificate"])
def test_a_certificate_file_that_cannot_be_read_is_named(tmp_path: Path, written: str | None) -> None:
    if written is not None:
        (tmp_path / "server.pem").write_text(written)
    command = ("-m", "local.host", "--app", str(ROOT), "--port", "0", "--cert", "server.pem")
    completed = run_python(*command, folder=tmp_path, **{**GOOD_SETTINGS, "SYNC": "off"})

    assert completed.returncode == 2
    assert re.search(r"^Cannot serve: --cert server\.pem: \S.*\n\Z", completed.stderr, re.MULTILINE)
    assert "Traceback" not in completed.stderr


def test_unknown_metadata_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "force-app/main/default/objects/Mystery"
    folder.mkdir(parents=True)
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    completed = run_python("-m", "emulators", "salesforce", "--metadata", str(tmp_path), folder=tmp_path)

    message = f"Cannot serve: the metadata of {tmp_path}: the emulator does not know the object Mystery\n"
    assert (completed.returncode, completed.stdout, completed.stderr) == (2, "", message)


def test_the_salesforce_emulator_starts_alone(tmp_path: Path) -> None:
    with start_python("-m", "emulators", "salesforce", folder=tmp_path) as served:
        url = served.read_until(r"Salesforce +(https://localhost:\d+)")[1]
        bundle = served.read_until(r"CA bundle +(\S+)")[1]
        with https_client(bundle) as http:
            versions = http.get(f"{url}/services/data").json()
        code, output = served.stop_and_read()

    assert "66.0" in {version["version"] for version in versions}
    assert (code, output) == (0, "Stopped.\n")


def test_the_partner_center_emulator_starts_alone(tmp_path: Path) -> None:
    command = ("-m", "emulators", "partner-center", "--port", "0", "--populate", "3")
    with start_python(*command, folder=tmp_path) as served:
        url = served.read_until(r"Partner Center\s+(https\S+)")[1]
        entra = served.read_until(r"Entra ID\s+(https\S+)")[1]
        bundle = served.read_until(r"CA bundle\s+(\S+)")[1]
        with https_client(bundle) as http:
            refused = http.get(url)
            referrals = http.get(f"{url.partition('/v1.0')[0]}/_control/referrals").json()
            discovered = http.get(f"{entra}/v2.0/.well-known/openid-configuration").json()
        served.read_until("Refresh token")
        code, output = served.stop_and_read()

    assert refused.status_code == 401
    assert len(referrals) >= 3
    assert discovered["token_endpoint"].startswith("https://")
    assert (code, output) == (0, "Stopped.\n")


def start_entra_and_redeem(folder: Path) -> tuple[str, dict[str, str], tuple[int, str]]:
    """Return the printed refresh token, the answer to its redemption, and the exit status with the last output."""
    with start_python("-m", "emulators", "entra", "--port", "0", "--seed", "7", folder=folder) as served:
        url = served.read_until(r"Entra ID +(https://localhost:\d+/\S+)")[1]
        tenant = served.read_until(r"Tenant +(\S+)")[1]
        client_id = served.read_until(r"Client id +(\S+)")[1]
        secret = served.read_until(r"Client secret +(\S+)")[1]
        refresh_token = served.read_until(r"Refresh token +(\S+)")[1]
        bundle = served.read_until(r"CA bundle +(\S+)")[1]
        form = {
            "grant_type": "refresh_token", "client_id": client_id, "client_secret": secret,
            "refresh_token": refresh_token, "scope": "https://api.partnercenter.microsoft.com/.default",
        }  # fmt: skip
        with https_client(bundle) as http:
            tokens = http.post(f"{url}/oauth2/v2.0/token", data=form).json()
        end = served.stop_and_read()

    assert url.endswith(f"/{tenant}")
    return refresh_token, tokens, end


def test_the_entra_emulator_starts_alone_and_redeems_its_refresh_token(tmp_path: Path) -> None:
    refresh_token, tokens, end = start_entra_and_redeem(tmp_path)

    assert tokens["token_type"] == "Bearer", tokens
    assert tokens["refresh_token"] != refresh_token
    assert end == (0, "Stopped.\n")


def test_the_same_seed_gives_the_same_refresh_token(tmp_path: Path) -> None:
    assert start_entra_and_redeem(tmp_path)[0] == start_entra_and_redeem(tmp_path)[0]


def test_the_bundle_in_a_kept_folder_is_that_of_the_current_run(tmp_path: Path) -> None:
    command = ("-m", "emulators", "partner-center", "--port", "0", "--folder", str(tmp_path))
    for _ in range(2):
        with start_python(*command, folder=tmp_path) as served:
            url = served.read_until(r"Partner Center\s+(https\S+)")[1]
            with https_client(tmp_path / "ca-bundle.pem") as http:
                assert http.get(url).status_code == 401
            served.stop_and_read()


def test_the_key_vault_emulator_starts_alone_with_its_managed_identity(tmp_path: Path) -> None:
    command = ("-m", "emulators", "key-vault", "--secret", "colour=blue")
    with start_python(*command, folder=tmp_path) as served:
        url = served.read_until(r"vault\s+(https\S+)")[1]
        bundle = served.read_until(r"CA bundle\s+(\S+)")[1]
        identity = served.read_until(r"identity\s+(\S+)")[1]
        endpoint = served.read_until(r"IDENTITY_ENDPOINT=(\S+)")[1]
        header = served.read_until(r"IDENTITY_HEADER=(\S+)")[1]
        with https_client(bundle) as http:
            challenged = http.get(f"{url}/secrets/colour?api-version=7.6")
            query = {"api-version": "2019-08-01", "resource": "https://vault.azure.net", "client_id": identity}
            token = http.get(endpoint, params=query, headers={"X-IDENTITY-HEADER": header}).json()["access_token"]
            opened = http.get(f"{url}/secrets/colour?api-version=7.6", headers={"Authorization": f"Bearer {token}"})
        code, output = served.stop_and_read()

    assert (challenged.status_code, opened.json()["value"]) == (401, "blue")
    assert (code, output) == (0, "Stopped.\n")


def test_the_managed_identity_emulator_starts_alone(tmp_path: Path) -> None:
    with start_python("-m", "emulators", "managed-identity", "--header", "shown", folder=tmp_path) as served:
        endpoint = served.read_until(r"IDENTITY_ENDPOINT=(\S+)")[1]
        served.read_until("IDENTITY_HEADER=shown")
        with https_client() as http:
            refused = http.get(endpoint, headers={"X-IDENTITY-HEADER": "guessed"})
        code, output = served.stop_and_read()

    assert refused.status_code == 401
    assert (code, output) == (0, "Stopped.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_host_starts_alone(tmp_path: Path, number: signal.Signals) -> None:
    command = ("-m", "local.host", "--app", str(ROOT), "--port", "0", "--timers")
    with start_python(*command, folder=tmp_path, **{**GOOD_SETTINGS, "SYNC": "off"}) as served, https_client() as http:
        url = served.read_until(r"on (http://localhost:\d+)")[1]
        master = {"x-functions-key": served.read_until(r"master key (\S+)")[1]}
        served.read_until("function key")
        functions = http.get(f"{url}/admin/functions", headers=master).json()
        locked = http.get(f"{url}/api/health")
        code, output = served.stop_and_read(number)

    assert len(functions) == 9
    assert locked.status_code == 401
    assert (code, output) == (0, "Stopped.\n")
