"""The zip of this checkout is complete: unpacked in another folder, the app loads from the zip alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.azure.deploy.zip_package import ZipPackage
from tests.unit.infra.azure_deploy.fake_azure import SHELL

SETTINGS = {
    **SHELL,
    "ENVIRONMENT": "staging",
    "MAPPING": "mapping/staging.toml",
    "KEY_VAULT_URL": "https://kv-cosell.vault.azure.net",
    "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "STORE_TABLES_URL": "https://stcosell.table.core.windows.net",
    "EVENTS_QUEUE": "referral-events",
    "PUSH_SCHEDULE": "0 * * * * *",
    "SWEEP_SCHEDULE": "0 */15 * * * *",
    "CREDENTIALS_SCHEDULE": "0 17 3 * * *",
    "COMPARE_SCHEDULE": "0 23,53 2-5 * * *",
    "BACKUP_SCHEDULE": "0 47 6 * * *",
}
LOAD = """
import importlib, json, pathlib, sys
sys.path.insert(0, ".")
import function_app
for path in sorted([*pathlib.Path("shared").rglob("*.py"), *pathlib.Path("functions").rglob("*.py")]):
    importlib.import_module(".".join(path.with_suffix("").parts))
from shared.foundation.build_record import deployed_commit
from shared.app import app
folder = str(pathlib.Path.cwd())
loaded = {name for name in sys.modules if name.split(".")[0] in ("shared", "functions", "infra", "tests", "typer")}
print(json.dumps({
    "functions": sorted(function.get_function_name() for function in function_app.app.get_functions()),
    "commit": deployed_commit(), "mapping": app().translation.hash,
    "not for the app": sorted(name for name in loaded if name.split(".")[0] in ("infra", "tests", "typer")),
    "not from the zip": sorted(name for name in loaded if not (sys.modules[name].__file__ or "").startswith(folder)),
}))
"""


@pytest.mark.slow
def test_the_app_loads_from_the_zip_alone_and_knows_its_commit_and_mapping(home: Path, staging_zip: ZipPackage) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **SETTINGS}
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report["functions"]) == staging_zip.functions
    assert (report["commit"], report["mapping"]) == (staging_zip.commit, staging_zip.record["mapping"])
    assert (report["not for the app"], report["not from the zip"]) == ([], [])


BROKEN = """
import json, sys
sys.path.insert(0, ".")
sys.modules["pydantic"] = sys.modules["msgspec"] = None
import function_app
print(json.dumps({
    "functions": sorted(function.get_function_name() for function in function_app.app.get_functions()),
    "fault": str(function_app.start_fault),
}))
"""


def test_an_app_whose_packages_cannot_be_loaded_reports_that(home: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **SETTINGS}
    command = [sys.executable, "-c", BROKEN]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["functions"] == ["report_health", "report_start_fault"]
    assert report["fault"].startswith("the app cannot be loaded: ModuleNotFoundError at ")
