"""One installation from its first deployment to its end: deploy, test, promote, roll back on another machine, leave.

The commands of leaving are read from docs/uninstall.md, and a shell runs them on the stand-in of the Azure CLI.
`cosell pause` calls no Azure CLI where `.cosell` is there; tests/unit/cli/test_deployed_names.py plays it without.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from infra.azure.deploy.az import AzError
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.failure import explain_az_error
from infra.azure.deploy.promote import promote
from infra.azure.deploy.restore_previous_version import rollback
from tests.unit.infra.azure.azure_files import ROOT, AzureFiles
from tests.unit.infra.azure_deploy.fake_azure import ACCOUNT_NAMES, APP_NAMES, FakeAzure, answer_deployment

pytestmark = pytest.mark.slow

GROUP = "rg-cosell-production"
SETTINGS_SET, TEMPLATE = "functionapp config appsettings set", "deployment sub create"


def commands_of(heading: str) -> str:
    """The commands of a section of docs/uninstall.md, for production."""
    section = (ROOT / "docs/uninstall.md").read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    commands = "\n".join(re.findall(r"```sh\n(.+?)\n```", section, re.DOTALL))
    for word, value in {"GROUP": GROUP, "APP": APP_NAMES["production"], "ENV": "production"}.items():
        commands = re.sub(rf"\b{word}\b", value, commands)
    return commands


def run_in_shell(azure: FakeAzure, commands: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{azure.folder}{os.pathsep}{os.environ['PATH']}", "SAMPLE_AZURE_FOLDER": str(azure.folder)}
    return subprocess.run(  # noqa: S603 - the commands are those of our docs
        ["/bin/sh", "-e", "-c", commands], env=environ, cwd=azure.folder, capture_output=True, text=True, check=False
    )


def lock_ids() -> list[str]:
    """The ids of the locks that the templates set in production."""
    return [each.id for each in AzureFiles().resources_of_type("Authorization/locks")]


def release(azure: FakeAzure, text: str) -> str:
    """Commit a change, test it, deploy it to staging and promote it. Returns the commit."""
    commit = azure.commit_change(text)
    azure.write_test_record()
    answer_deployment(azure, "staging")
    deploy(azure.open_session())
    answer_deployment(azure, "production")
    promote(azure.open_session("production"))
    return commit


def calls_since(azure: FakeAzure, count: int) -> list[str]:
    return azure.command_names()[count:]


def test_an_installation_lives_and_ends_as_the_docs_say(azure: FakeAzure) -> None:
    first, second = release(azure, "deal = 2\n"), release(azure, "deal = 3\n")
    assert azure.running_record(APP_NAMES["production"])["commit"] == second
    assert len(azure.calls_of(TEMPLATE)) == 4

    shutil.rmtree(azure.root / ".cosell")  # a person on call, with a fresh checkout
    before = len(azure.calls_of())
    rollback(azure.open_session("production"))
    assert azure.running_record(APP_NAMES["production"])["commit"] == first
    assert calls_since(azure, before) == [
        "version", "account show", "account show", "deployment sub show", "functionapp config appsettings list",
        "storage blob list", "storage blob download", "functionapp deployment source config-zip", "rest",
        "functionapp function keys list", "functionapp function list", "functionapp function keys list",
        "storage blob metadata update",
    ]  # fmt: skip
    assert {word for call in azure.calls_of()[before:] for word in call["words"] if word in ACCOUNT_NAMES.values()} == {
        ACCOUNT_NAMES["production"]
    }

    (azure.folder / "locks.json").write_text(json.dumps({GROUP: lock_ids()}), encoding="utf-8")
    (azure.folder / "answers.json").write_text("{}", encoding="utf-8")
    before = len(azure.calls_of())
    for heading in ("1. Stop the sync", "3. Azure"):
        done = run_in_shell(azure, commands_of(heading))
        assert (done.returncode, done.stderr) == (0, "")
    assert calls_since(azure, before) == [
        SETTINGS_SET, "lock list", "lock delete", "group delete", "deployment sub delete",
    ]  # fmt: skip
    assert azure.calls_of(SETTINGS_SET)[0]["words"][-1] == "SYNC=off"
    assert azure.calls_of("lock delete")[0]["words"][3:] == lock_ids()
    assert not (azure.folder / "cosell-production.deployment.json").exists()


def test_our_own_lock_stops_the_deletion_and_the_docs_name_the_remedy(azure: FakeAzure) -> None:
    assert len(lock_ids()) == 2, "vault and storage"
    (azure.folder / "answers.json").write_text("{}", encoding="utf-8")
    (azure.folder / "locks.json").write_text(json.dumps({GROUP: lock_ids()}), encoding="utf-8")
    done = run_in_shell(azure, f"az group delete --name {GROUP}")
    assert done.returncode == 1
    assert "ScopeLocked" in done.stderr
    failure = explain_az_error(AzError("group delete", done.stderr))
    assert failure.sentence == "A lock forbids to delete a resource."
    assert "az lock delete" in failure.remedy
    guide = (ROOT / "docs/uninstall.md").read_text(encoding="utf-8")
    assert "`ScopeLocked`" in guide.split("\n## 3. Azure\n")[1].split("\n## ")[0]


def test_without_locks_the_documented_commands_delete_the_group_too(azure: FakeAzure) -> None:
    answer_deployment(azure, "production")
    (azure.folder / "answers.json").write_text("{}", encoding="utf-8")
    (azure.folder / "cosell-production.deployment.json").write_text("{}", encoding="utf-8")
    done = run_in_shell(azure, commands_of("3. Azure"))
    assert (done.returncode, done.stderr) == (0, "")
    assert azure.command_names() == ["lock list", "group delete", "deployment sub delete"]
