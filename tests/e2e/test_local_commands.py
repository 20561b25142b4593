"""`make serve`, and each system alone with one command: they start, say where they are, serve, and end when told."""

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
from tests.e2e.processes import run, serving
from tests.e2e.test_app_start import GOOD

EVERY_SECOND = "* * * * * *"
SERVE = ("-m", "local.serve")


def client(bundle: str | Path | None = None) -> httpx.Client:
    verify = ssl.create_default_context(cafile=bundle) if bundle else False
    return httpx.Client(verify=verify, trust_env=False)


def test_make_serve_runs_the_timers_on_schedule_until_it_is_interrupted(tmp_path: Path) -> None:
    schedules = ("--push-schedule", EVERY_SECOND, "--sweep-schedule", EVERY_SECOND)
    with serving(*SERVE, "--port", "0", *schedules, folder=tmp_path) as served:
        deal = shlex.split(served.read_until(r"^curl --cacert .*")[0])
        served.read_until(r'"push_done"')
        referral = json.loads(subprocess.run(deal, check=True, capture_output=True).stdout)["id"]  # noqa: S603 - as printed
        served.read_until(rf'"opportunity_created".*"{referral}"')
        served.read_until(r'"sweep_done"')
        served.read_until(r'"push_done"')
        code, said = served.end()

    assert code == 0, said
    assert said.splitlines()[-1] == "Stopped."
    assert "Traceback" not in said
    assert not list(tmp_path.rglob("local.toml"))


@pytest.mark.slow
def test_make_serve_cuts_no_address_and_no_key_on_a_narrow_terminal(tmp_path: Path) -> None:
    with serving(*SERVE, "--port", "0", folder=tmp_path, COLUMNS="40") as served:
        host = served.read_until(r"^Functions host +(https://localhost:\d+)$")[1]
        master = served.read_until(r"^Master key +(\S{43})$")[1]
        bundle = served.read_until(r"^CA bundle +(\S+)$")[1]
        served.read_until("one event a line")
        with client(bundle) as http:
            functions = http.get(f"{host}/admin/functions", headers={"x-functions-key": master})
        served.end()

    assert functions.status_code == 200


ALONE = (
    "emulators salesforce",
    "emulators partner-center",
    "emulators key-vault",
    "emulators managed-identity",
    "local.host",
)


@pytest.mark.parametrize("name", ALONE)
def test_a_taken_port_is_one_sentence_with_the_way_out(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-m", *name.split(), "--port", str(port), folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Cannot serve: port {port} is taken; --port=0 takes what is free\n"


def test_make_serve_names_whichever_of_its_ports_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(*SERVE, "--port", str(port - 1), folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"Cannot serve: port \d+ is taken; make serve PORT=0 takes what is free\n", done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "emulators salesforce --port 99999",
            "port 99999 is none: they go from 1 to 65535; --port=0 takes what is free",
        ),
        (
            "emulators partner-center --port 65534",
            "port 65536 is none: they go from 1 to 65535; --port=0 takes what is free",
        ),
        (
            "emulators key-vault --identity-port -1",
            "port -1 is none: they go from 1 to 65535; --identity-port=0 takes what is",
        ),
        (
            "emulators salesforce --metadata none",
            "none is not an sfdx source project: none/sfdx-project.json is missing",
        ),
        (
            "emulators partner-center --port 0 --events nonsense",
            "Cannot serve: --events: 'nonsense' is no absolute http address",
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
def test_a_wrong_option_is_one_sentence_and_status_2(tmp_path: Path, command: str, said: str) -> None:
    done = run("-m", *command.split(), folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_one_port_cannot_be_two(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    done = run("-m", "emulators", "key-vault", "--port", port, "--identity-port", port, folder=tmp_path)

    assert (done.returncode, done.stderr) == (2, f"Cannot serve: port {port} is taken; --port=0 takes what is free\n")


@pytest.mark.parametrize("written", [None, "no certificate"])
def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, written: str | None) -> None:
    if written is not None:
        (tmp_path / "server.pem").write_text(written)
    command = ("-m", "local.host", "--app", str(ROOT), "--port", "0", "--cert", "server.pem")
    done = run(*command, folder=tmp_path, **{**GOOD, "SYNC": "off"})

    assert done.returncode == 2
    assert re.search(r"^Cannot serve: --cert server\.pem: \S.*\n\Z", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


def test_metadata_that_is_not_understood_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "force-app/main/default/objects/Mystery"
    folder.mkdir(parents=True)
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    done = run("-m", "emulators", "salesforce", "--metadata", str(tmp_path), folder=tmp_path)

    said = f"Cannot serve: the metadata of {tmp_path}: the emulator does not know the object Mystery\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_salesforce_alone(tmp_path: Path) -> None:
    with serving("-m", "emulators", "salesforce", folder=tmp_path) as served:
        url = served.read_until(r"Salesforce +(https://localhost:\d+)")[1]
        bundle = served.read_until(r"CA bundle +(\S+)")[1]
        with client(bundle) as http:
            versions = http.get(f"{url}/services/data").json()
        code, said = served.end()

    assert "66.0" in {version["version"] for version in versions}
    assert (code, said) == (0, "Stopped.\n")


def test_partner_center_alone(tmp_path: Path) -> None:
    command = ("-m", "emulators", "partner-center", "--port", "0", "--populate", "3")
    with serving(*command, folder=tmp_path) as served:
        url = served.read_until(r"Partner Center\s+(https\S+)")[1]
        entra = served.read_until(r"Entra ID\s+(https\S+)")[1]
        bundle = served.read_until(r"CA bundle\s+(\S+)")[1]
        with client(bundle) as http:
            refused = http.get(url)
            found = http.get(f"{url.partition('/v1.0')[0]}/_control/referrals").json()
            discovered = http.get(f"{entra}/v2.0/.well-known/openid-configuration").json()
        served.read_until("Refresh token")
        code, said = served.end()

    assert refused.status_code == 401
    assert len(found) >= 3
    assert discovered["token_endpoint"].startswith("https://")
    assert (code, said) == (0, "Stopped.\n")


@pytest.mark.slow
def test_a_kept_bundle_is_that_of_the_present_run(tmp_path: Path) -> None:
    command = ("-m", "emulators", "partner-center", "--port", "0", "--folder", str(tmp_path))
    for _ in range(2):
        with serving(*command, folder=tmp_path) as served:
            url = served.read_until(r"Partner Center\s+(https\S+)")[1]
            with client(tmp_path / "ca-bundle.pem") as http:
                assert http.get(url).status_code == 401
            served.end()


def test_key_vault_alone_with_the_identity_that_opens_it(tmp_path: Path) -> None:
    command = ("-m", "emulators", "key-vault", "--secret", "colour=blue")
    with serving(*command, folder=tmp_path) as served:
        url = served.read_until(r"vault\s+(https\S+)")[1]
        bundle = served.read_until(r"CA bundle\s+(\S+)")[1]
        identity = served.read_until(r"identity\s+(\S+)")[1]
        endpoint = served.read_until(r"IDENTITY_ENDPOINT=(\S+)")[1]
        header = served.read_until(r"IDENTITY_HEADER=(\S+)")[1]
        with client(bundle) as http:
            challenged = http.get(f"{url}/secrets/colour?api-version=7.6")
            asked = {"api-version": "2019-08-01", "resource": "https://vault.azure.net", "client_id": identity}
            token = http.get(endpoint, params=asked, headers={"X-IDENTITY-HEADER": header}).json()["access_token"]
            opened = http.get(f"{url}/secrets/colour?api-version=7.6", headers={"Authorization": f"Bearer {token}"})
        code, said = served.end()

    assert (challenged.status_code, opened.json()["value"]) == (401, "blue")
    assert (code, said) == (0, "Stopped.\n")


def test_managed_identity_alone(tmp_path: Path) -> None:
    with serving("-m", "emulators", "managed-identity", "--header", "shown", folder=tmp_path) as served:
        endpoint = served.read_until(r"IDENTITY_ENDPOINT=(\S+)")[1]
        served.read_until("IDENTITY_HEADER=shown")
        with client() as http:
            refused = http.get(endpoint, headers={"X-IDENTITY-HEADER": "guessed"})
        code, said = served.end()

    assert refused.status_code == 401
    assert (code, said) == (0, "Stopped.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_host_alone(tmp_path: Path, number: signal.Signals) -> None:
    command = ("-m", "local.host", "--app", str(ROOT), "--port", "0", "--timers")
    with serving(*command, folder=tmp_path, **{**GOOD, "SYNC": "off"}) as served, client() as http:
        url = served.read_until(r"on (http://localhost:\d+)")[1]
        master = {"x-functions-key": served.read_until(r"master key (\S+)")[1]}
        served.read_until("function key")
        functions = http.get(f"{url}/admin/functions", headers=master).json()
        locked = http.get(f"{url}/api/health")
        code, said = served.end(number)

    assert len(functions) == 7
    assert locked.status_code == 401
    assert (code, said) == (0, "Stopped.\n")
