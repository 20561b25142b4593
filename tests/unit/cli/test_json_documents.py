"""Each command for operators prints one JSON document with `--json`, and ends with its exit code; files hold its texts.

The documents are in `golden/NAME-json.txt`, and what people read is in `golden/NAME.txt`.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.systems import Systems
from shared import __version__
from shared.app import App
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import GOLDEN, check_golden_document
from tests.unit.cli.stand_in_az import put_on_path

DEAL, HELD, REFERRAL = "006AA0000000000AAA", "006AA0000000001AAA", "00000000-0000-4000-8000-000000000000"
DEPLOYMENT = {"FUNCTION_APP_NAME": "func", "AZURE_RESOURCE_GROUP": "rg", "AZURE_SUBSCRIPTION_ID": "1"}
NEXT = 'extends = "default"\nremove = ["contacts"]\n'
COMMANDS = {
    "status": ("status", 1),
    "status-id": (f"status {DEAL}", 0),
    "explain": (f"explain {REFERRAL} amount", 0),
    "sync": (f"sync {DEAL} {HELD}", 0),
    "retry": ("retry --all", 0),
    "pause": ("pause", 0),
    "resume": ("resume push", 0),
    "turn-off": ("turn-off", 0),
    "approve": ("approve", 0),
    "preview": (f"preview {DEAL}", 0),
    "mapping-check": ("mapping check --file next.toml", 0),
    "mapping-show": ("mapping show --file next.toml", 0),
    "mapping-explain": ("mapping explain amount", 0),
    "mapping-diff": ("mapping diff next.toml", 0),
    "backfill": ("backfill pairs.csv", 0),
}
"""What is typed, and the exit code."""


@pytest.fixture
def ids(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A deal that a seller has just edited, and one that is held. The ids by what is shown."""
    monkeypatch.chdir(tmp_path)
    environ = {**all_systems.environ, "STORE_FILE": str(tmp_path / "store.sqlite"), "SYNC": "on"}
    for env in ("local", "staging"):
        write_environment(Environment(env, environ, DEPLOYMENT))
    (tmp_path / "next.toml").write_text(NEXT, encoding="utf-8")
    before = dict(os.environ)
    os.environ.update(environ)
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "on"}])
    az.answer("functionapp config appsettings set", ["SYNC"])
    all_systems.reset()
    deal = all_systems.seller_creates("Deal [bold]\x1b[31m", Amount=25_000)
    held = all_systems.seller_creates("Held deal", country=None)
    for amount in (30_000, 31_000):
        with closing(App()) as connector:
            run_push(connector.context)
            run_push(connector.context)
        all_systems.salesforce.edit("Opportunity", deal, {"Amount": amount})
    referral = all_systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    yield {deal: DEAL, held: HELD, referral: REFERRAL}
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("name", COMMANDS)
def test_one_document_is_printed_and_the_exit_code_is_the_documented_one(name: str, ids: dict[str, str]) -> None:
    line, code = COMMANDS[name]
    for known, shown in ids.items():
        line = line.replace(shown, known)
    env = "staging" if name == "turn-off" else "local"
    result = CliRunner().invoke(app, [*line.split(), "--env", env, "--json"])
    assert (result.exit_code, result.exception if result.exit_code != code else None) == (code, None), result.output
    assert "\x1b" not in result.output
    check_golden_document(f"{name}-json", result.stdout, {**ids, __version__: "0.0.0"})


def test_what_people_read_of_each_command_is_in_a_file_too() -> None:
    texts = {path.stem for path in GOLDEN.glob("*.txt")}
    assert {*COMMANDS, "mapping-schema"} <= texts
