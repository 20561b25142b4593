"""From its zip the app starts quickly: with its bytecode, and without what only the sync needs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.azure_deploy.test_zip_loads import SETTINGS

START = """
import json, logging, sys
sys.path.insert(0, ".")
lines = []
class Lines(logging.Handler):
    def emit(self, record):
        lines.append(json.loads(record.getMessage()))
logging.getLogger("cosell").addHandler(Lines())
logging.getLogger("cosell").setLevel(logging.INFO)
import function_app
import azure.functions as func
functions = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}
status = None
if "receive_event" in functions:
    request = func.HttpRequest("POST", "/api/events", headers={"Content-Type": "application/json"}, body=b"{}")
    status = functions["receive_event"](request, None).status_code
modules = sorted(sys.modules)
if "health" in sys.argv:
    from shared.app import app
    assert app().translation.hash
print(json.dumps({"status": status, "lines": lines, "modules": modules, "fault": str(function_app.start_fault or "")}))
"""
NOT_NEEDED = {
    "pydantic", "shared.settings.variables", "shared.mapping.schema", "shared.mapping.translation", "shared.app",
    "shared.sync.runs", "shared.store.link_store", "tomllib", "httpx", "requests", "msal", "azure.identity",
    "azure.keyvault", "azure.data", "cryptography", "certifi",
}  # fmt: skip
"""Modules that a start and a refused event do not import. `cryptography` follows with the first signed event."""


def start(home: Path, *words: str, **settings: str) -> dict[str, Any]:
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **SETTINGS, **settings}
    command = [sys.executable, "-c", START, *words]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def needless(modules: Iterable[str]) -> set[str]:
    return NOT_NEEDED.intersection(modules)


def test_start_and_refusal_import_nothing_that_only_the_sync_needs(home: Path) -> None:
    report = start(home, "health")
    assert (report["fault"], report["status"]) == ("", 401)
    assert needless(report["modules"]) == set()
    assert [line["event"] for line in report["lines"]] == ["event_refused"]


def test_the_bytecode_of_the_zip_is_used_without_a_look_at_its_source(home: Path) -> None:
    for name in ("function_app.py", "functions/receive_event.py", "shared/webhook/admission.py"):
        (home / name).write_text("raise AssertionError('compiled')\n", "utf-8")
    assert start(home)["status"] == 401


@pytest.mark.parametrize(
    ("changed", "reason"), [("mapping/staging.toml", "other_file"), ("shared/mapping/default.toml", "other_code")]
)
def test_a_mapping_that_was_not_checked_for_this_zip_is_checked_at_the_start(
    home: Path, changed: str, reason: str
) -> None:
    with (home / changed).open("a", encoding="utf-8") as file:
        file.write("# changed by hand\n")
    report = start(home)
    assert report["status"] == 401
    assert report["lines"][0] == {"event": "mapping_rechecked", "reason": reason}
    assert "shared.mapping.translation" in report["modules"]


def test_a_wrong_mapping_that_was_not_checked_is_still_found(home: Path) -> None:
    (home / "mapping/staging.toml").write_text('extends = "default"\nunknown = 1\n', "utf-8")
    assert start(home)["fault"].startswith("mapping/staging.toml, line 2: unknown:")


def test_without_the_record_the_start_checks_everything(home: Path) -> None:
    (home / "mapping/checked.json").unlink()
    report = start(home)
    assert report["status"] == 401
    assert [line["event"] for line in report["lines"]] == ["event_refused"]
    assert "shared.mapping.translation" in report["modules"]


def test_all_wrong_settings_are_told_as_before(home: Path) -> None:
    fault = start(home, SALESFORCE_URL="http://a", LEASE_SECONDS="100", EVENT_MAX_BYTES="0", PUSH_SCHEDULE="x")["fault"]
    assert [line.partition(":")[0] for line in fault.splitlines()] == [
        "LEASE_SECONDS", "SALESFORCE_URL", "EVENT_MAX_BYTES", "PUSH_SCHEDULE",
    ]  # fmt: skip


def test_what_is_right_in_an_unusual_form_is_left_to_the_models(home: Path) -> None:
    report = start(home, HOLD_WIN="yes")
    assert (report["fault"], report["status"]) == ("", 401)
    assert "shared.settings.variables" in report["modules"]
