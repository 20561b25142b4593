"""A checkout, an Azure that the stand-in plays, and an app whose health endpoint tells which zip it runs."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.base.server import Request, Response, Server
from infra.azure.deploy.az import Az
from infra.azure.deploy.session import ROOT, Session
from infra.azure.deploy.zip_package import RECORD
from shared.cli.azure_cli import run_az_process
from tests.unit.infra.azure_deploy import az_stand_in

SUBSCRIPTION = "99999999-2222-3333-4444-555555555555"
FUNCTIONS = ("receive_event", "report_health")
SHELL = {
    "PARTNER_CENTER_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "PARTNER_CENTER_CLIENT_ID": "22222222-2222-3333-4444-555555555555",
    "PARTNER_CENTER_ORGANIZATION_ID": "33333333-2222-3333-4444-555555555555",
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "3MVG9ACME",
    "SALESFORCE_USERNAME": "integration@acme.example",
}
NAMES = {"staging": "func-cosell-stag-abcdefghijklm", "production": "func-cosell-prod-abcdefghijklm"}
PROVIDERS = (
    "microsoft.insights", "Microsoft.App", "Microsoft.Authorization", "Microsoft.KeyVault", "Microsoft.Web",
    "Microsoft.ManagedIdentity", "Microsoft.OperationalInsights", "Microsoft.Resources", "Microsoft.Storage",
)  # fmt: skip


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(root), *who, *words], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own words
    return done.stdout.strip()


def checkout(root: Path) -> None:
    """A small checkout in which one commit holds everything."""
    for name, text in {
        "function_app.py": "import functions\n",
        "host.json": "{}\n",
        "requirements.txt": "azure-functions\n",
        "functions/receive_event.py": 'bp.function_name("receive_event")\n',
        "functions/report_health.py": 'bp.function_name("report_health")\n',
        "shared/__init__.py": "",
        "shared/domain/deal.py": "deal = 1\n",
        "shared/mapping/default.toml": "x = 1\n",
        "shared/cli/main.py": "only a person's machine\n",
        "mapping/staging.toml": 'extends = "default"\n',
        "mapping/production.toml": 'extends = "default"\n[fields.money]\nwinner = "partner_center"\n',
        ".gitignore": ".cosell/\n__pycache__/\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("staging", "production"):
        (root / "infra/azure").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"infra/azure/{name}.bicepparam", root / "infra/azure")
    git(root, "init", "-q", "-b", "main")
    commit(root)


def commit(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "a change")
    return git(root, "rev-parse", "HEAD")


@dataclass
class Stage:
    """One test's world."""

    root: Path
    folder: Path
    health: Server
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shell: dict[str, str] = field(default_factory=lambda: dict(SHELL))
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: str | None = None
    sick: set[str] = field(default_factory=set)
    stale: dict[str, str] = field(default_factory=dict)
    """What the health endpoint says in place of what the zip's record says."""
    passed: float = 0.0
    on_path: bool = False
    """Whether `az` is a program of PATH, which costs a process for each command."""

    def out(self, command: str, *documents: object) -> None:
        self.answers[command] = [{"out": document} for document in documents]

    def fails(self, command: str, text: str, then: object = None) -> None:
        self.answers[command] = [{"error": text}, *([] if then is None else [{"out": then}])]

    def session(self, environment: str = "staging", *, unattended: bool = False) -> Session:
        (self.folder / "answers.json").write_text(json.dumps(self.answers), encoding="utf-8")
        environ = {
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
            "SAMPLE_STAGE": str(self.folder),
            **self.shell,
        }
        az = Az(environ, run_az_process if self.on_path else az_stand_in.az)
        return Session(
            environment, self.said.append, self._answer, az, self.root, self._sleep, lambda: self.passed,
            unattended,
        )  # fmt: skip

    def _answer(self, question: str) -> bool:
        self.asked.append(question)
        return self.refuses is None or self.refuses not in question

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds

    def calls(self, command: str = "") -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if not command or call["command"] == command]

    def commands(self) -> list[str]:
        return [call["command"] for call in self.calls()]

    def states(self) -> list[str]:
        """The states of the history, oldest first."""
        known: Mapping[str, str] = json.loads((self.folder / "states.json").read_text(encoding="utf-8"))
        return [state for _, state in sorted(known.items())]

    def running(self) -> dict[str, Any]:
        """The record of the zip in the app."""
        with zipfile.ZipFile(self.folder / "running.zip") as archive:
            record: dict[str, Any] = json.loads(archive.read(RECORD))
        return record

    def changes(self, text: str) -> str:
        """A commit that changes the code."""
        (self.root / "shared/domain/deal.py").write_text(text, encoding="utf-8")
        return commit(self.root)

    def was_tested(self) -> None:
        """What `make test` leaves."""
        counts = {"passed": 3, "failed": 0, "skipped": 0, "deselected": 0}
        said = {"commit": git(self.root, "rev-parse", "HEAD"), "clean": True, "finished": "2026-11-22T10:00:00Z"}
        (self.root / ".cosell").mkdir(exist_ok=True)
        (self.root / ".cosell/tested.json").write_text(json.dumps(said | counts), encoding="utf-8")

    def is_deployed(self, environment: str, settings: Mapping[str, str], **parameters: object) -> None:
        """What an earlier deployment left in Azure."""
        tags = {"application": "cosell", "environment": environment}
        group = f"rg-cosell-{environment}"
        self.out("resource list", [{"name": NAMES[environment], "resourceGroup": group, "tags": tags}])
        self.out("functionapp config appsettings list", [{"name": n, "value": v} for n, v in settings.items()])
        given = {name: {"type": "String", "value": value} for name, value in parameters.items()}
        self.out("deployment sub show", {"properties": {"parameters": given, "outputs": None}})


def answer_of(stage: Stage, request: Request) -> Response:
    """The app's health endpoint: it tells of the zip that was put last."""
    record = stage.running()
    if request.headers.get("x-functions-key") != "the-function-key":
        return Response(401)
    if record["commit"] in stage.sick:
        return Response(500, b"")
    told = {name: record[name] for name in ("version", "environment", "mapping", "commit")}
    return Response(
        200, json.dumps({**told, "mode": "preview", **stage.stale}).encode(), {"Content-Type": "application/json"}
    )


@contextmanager
def played(root: Path, folder: Path) -> Iterator[Stage]:
    """An Azure played for the checkout `root`; what it knows lies in `folder`."""
    folder.mkdir()

    def handle(request: Request) -> Response:
        return answer_of(stage, request)

    with Server(handle) as server:
        stage = Stage(root, folder, server)
        prepare(stage)
        yield stage


def outputs(environment: str, health: str) -> dict[str, Any]:
    """What main.bicep puts out, one name in the case that Resource Manager makes of it."""
    said: dict[str, Any] = {
        "azurE_LOCATION": "westeurope",
        "AZURE_RESOURCE_GROUP": f"rg-cosell-{environment}",
        "ENVIRONMENT": environment,
        "FUNCTION_APP_NAME": NAMES[environment],
        "HEALTH_URL": health,
        "STORAGE_ACCOUNT_NAME": "stcosellabcdefghijklm",
        "PACKAGE_CONTAINER": "packages",
        "KEY_VAULT_NAME": "kv-cosellabcdefghijklm",
        "APP_SETTINGS": {"ENVIRONMENT": environment, "SYNC": "preview", "MAPPING": f"mapping/{environment}.toml"},
    }
    return {"properties": {"outputs": {name: {"value": value} for name, value in said.items()}}}


def prepare(stage: Stage) -> None:
    """An empty subscription, and an Azure that does what it is asked."""
    script = stage.folder / "az"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{az_stand_in.__file__}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    stage.out("version", {"azure-cli": "2.91.0"})
    stage.answers["bicep version"] = [{"text": "Bicep CLI version 0.38.33 (6bb5d5f859)"}]
    stage.out("account show", {"id": SUBSCRIPTION, "name": "Contoso", "tenantId": "tenant-1"})
    stage.out("provider list", [{"namespace": name, "registrationState": "Registered"} for name in PROVIDERS])
    stage.out("resource list", [])
    stage.fails("deployment sub show", "(DeploymentNotFound) Deployment 'cosell-staging' could not be found.")
    change = {"changeType": "Create", "resourceId": "/subscriptions/s/resourceGroups/rg-cosell-staging", "delta": None}
    stage.out("deployment sub what-if", {"status": "Succeeded", "changes": [change]})
    made(stage, "staging")
    stage.out("functionapp function list", [{"name": f"app/{name}"} for name in FUNCTIONS])
    stage.out("functionapp function keys list", {"default": "the-function-key"})


def made(stage: Stage, environment: str) -> None:
    """What a deployment of an environment answers."""
    stage.out("deployment sub create", outputs(environment, f"{stage.health.url}/api/health"))
