"""A fake Azure for the deployment: a checkout, answers for the Azure CLI, and the health endpoint of the app."""

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
from tests.unit.infra.azure_deploy import fake_az_program

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
APP_NAMES = {"staging": "func-cosell-stag-abcdefghijklm", "production": "func-cosell-prod-abcdefghijklm"}
ACCOUNT_NAMES = {"staging": "stcosellstag", "production": "stcosellprod"}
PROVIDERS = (
    "microsoft.insights", "Microsoft.App", "Microsoft.Authorization", "Microsoft.KeyVault", "Microsoft.Web",
    "Microsoft.ManagedIdentity", "Microsoft.OperationalInsights", "Microsoft.Resources", "Microsoft.Storage",
)  # fmt: skip


def run_git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(root), *identity, *words], capture_output=True, text=True, check=True)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()


def make_checkout(root: Path) -> None:
    """A small checkout with everything in one commit."""
    for name, text in {
        "function_app.py": "import functions\n",
        "host.json": "{}\n",
        "requirements.txt": "azure-functions\n",
        "sbom.cdx.json": "{}\n",
        "functions/receive_event.py": 'bp.function_name("receive_event")\n',
        "functions/report_health.py": 'bp.function_name("report_health")\n',
        "shared/__init__.py": "",
        "shared/domain/deal.py": "deal = 1\n",
        "shared/mapping/default.toml": "x = 1\n",
        "shared/cli/main.py": "only for people's machines\n",
        "mapping/staging.toml": 'extends = "default"\n',
        "mapping/production.toml": 'extends = "default"\n[fields.money]\nwinner = "partner_center"\n',
        ".gitignore": ".cosell/\n__pycache__/\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "infra/azure").mkdir(parents=True, exist_ok=True)
    for name in ("staging.bicepparam", "production.bicepparam", "main.bicep"):
        shutil.copy(ROOT / "infra/azure" / name, root / "infra/azure")
    run_git(root, "init", "-q", "-b", "main")
    commit_all(root)


def commit_all(root: Path) -> str:
    """Commit every change, and return the commit's hash."""
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "--allow-empty", "-m", "a change")
    return run_git(root, "rev-parse", "HEAD")


@dataclass
class FakeAzure:
    """The state of one test: the checkout `root`, the answers of the Azure CLI, and what the deployment printed."""

    root: Path
    folder: Path
    health_server: Server
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shell: dict[str, str] = field(default_factory=lambda: dict(SHELL))
    printed: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    refused_question: str | None = None
    """A question that contains this text is answered with no."""
    unhealthy_commits: set[str] = field(default_factory=set)
    reported_instead: dict[str, str] = field(default_factory=dict)
    """What the health endpoint reports instead of the values in the zip's record."""
    start_errors: dict[str, list[str]] = field(default_factory=dict)
    """By commit, the errors of a zip that cannot start: it loads the minimal app."""
    elapsed_seconds: float = 0.0
    runs_program: bool = False
    """Whether `az` is a program on PATH. It costs a process for each command."""

    def answer(self, command: str, *documents: object) -> None:
        """Let a command print these documents, one for each call and the last one again and again."""
        self.answers[command] = [{"out": document} for document in documents]

    def fail(self, command: str, text: str, document_afterwards: object = None) -> None:
        """Let a command fail: once if a document follows, else always."""
        success = [] if document_afterwards is None else [{"out": document_afterwards}]
        self.answers[command] = [{"error": text}, *success]

    def open_session(self, environment: str = "staging", *, unattended: bool = False) -> Session:
        (self.folder / "answers.json").write_text(json.dumps(self.answers), encoding="utf-8")
        environ = {
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
            "SAMPLE_AZURE_FOLDER": str(self.folder),
            **self.shell,
        }
        az = Az(environ, run_az_process if self.runs_program else fake_az_program.run_fake_az)
        return Session(
            environment, self.printed.append, self._answer_question, az, self.root, self._sleep,
            lambda: self.elapsed_seconds, unattended,
        )  # fmt: skip

    def _answer_question(self, question: str) -> bool:
        self.questions.append(question)
        return self.refused_question is None or self.refused_question not in question

    def _sleep(self, seconds: float) -> None:
        self.elapsed_seconds += seconds

    def calls_of(self, command: str = "") -> list[dict[str, Any]]:
        """The recorded calls of a command, or of all commands."""
        path = self.folder / "calls.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if not command or call["command"] == command]

    def command_names(self) -> list[str]:
        return [call["command"] for call in self.calls_of()]

    @property
    def storage(self) -> Path:
        """The folder of staging's storage account."""
        return self.folder / ACCOUNT_NAMES["staging"]

    def zip_states(self) -> list[str]:
        """The states in the zip history of staging, oldest zip first."""
        states: Mapping[str, str] = json.loads((self.storage / "states.json").read_text(encoding="utf-8"))
        return [state for _, state in sorted(states.items())]

    def running_record(self, app: str = "running") -> dict[str, Any]:
        """The record of the zip that an app runs; without a name, of the zip that was installed last."""
        with zipfile.ZipFile(self.folder / f"{app}.zip") as archive:
            record: dict[str, Any] = json.loads(archive.read(RECORD))
        return record

    def commit_change(self, text: str) -> str:
        """Commit a change of the code, and return the commit's hash."""
        (self.root / "shared/domain/deal.py").write_text(text, encoding="utf-8")
        return commit_all(self.root)

    def write_test_record(self) -> None:
        """Write the record that `make test` writes for the present commit."""
        counts = {"passed": 3, "failed": 0, "skipped": 0, "deselected": 0}
        record = {"commit": run_git(self.root, "rev-parse", "HEAD"), "clean": True, "finished": "2026-11-22T10:00:00Z"}
        (self.root / ".cosell").mkdir(exist_ok=True)
        (self.root / ".cosell/tested.json").write_text(json.dumps(record | counts), encoding="utf-8")

    def set_deployed(self, environment: str, settings: Mapping[str, str], **parameters: object) -> None:
        """Let Azure have an app with these settings, and a deployment with these parameters."""
        tags = {"application": "cosell", "environment": environment}
        group = f"rg-cosell-{environment}"
        self.answer("resource list", [{"name": APP_NAMES[environment], "resourceGroup": group, "tags": tags}])
        self.answer("functionapp config appsettings list", [{"name": n, "value": v} for n, v in settings.items()])
        document = {name: {"type": "String", "value": value} for name, value in parameters.items()}
        self.answer("deployment sub show", {"properties": {"parameters": document, "outputs": None}})


def health_response(azure: FakeAzure, request: Request) -> Response:
    """The answer of an app's health endpoint, which reports the app's zip. Its path begins with the environment."""
    record = azure.running_record(APP_NAMES.get(request.path.split("/")[1], "running"))
    if request.headers.get("x-functions-key") != "the-function-key":
        return Response(401)
    if record["commit"] in azure.unhealthy_commits:
        return Response(500, b"")
    if errors := azure.start_errors.get(record["commit"]):
        body = json.dumps({"version": record["version"], "commit": record["commit"], "errors": errors}).encode()
        return Response(503, body, {"Content-Type": "application/json"})
    report = {name: record[name] for name in ("version", "environment", "mapping", "commit")} | {"mode": "preview"}
    body = json.dumps({**report, **azure.reported_instead}).encode()
    return Response(200, body, {"Content-Type": "application/json"})


@contextmanager
def run_fake_azure(root: Path, folder: Path) -> Iterator[FakeAzure]:
    """A fake Azure for the checkout `root`. It keeps its state in `folder`."""
    folder.mkdir()

    def handle(request: Request) -> Response:
        return health_response(azure, request)

    with Server(handle) as server:
        azure = FakeAzure(root, folder, server)
        answer_as_empty_subscription(azure)
        yield azure


def deployment_outputs(environment: str, health: str) -> dict[str, Any]:
    """The outputs of main.bicep. One name has the odd case that Resource Manager returns."""
    values: dict[str, Any] = {
        "azurE_LOCATION": "westeurope",
        "AZURE_RESOURCE_GROUP": f"rg-cosell-{environment}",
        "ENVIRONMENT": environment,
        "FUNCTION_APP_NAME": APP_NAMES[environment],
        "HEALTH_URL": health,
        "STORAGE_ACCOUNT_NAME": ACCOUNT_NAMES[environment],
        "PACKAGE_CONTAINER": "packages",
        "KEY_VAULT_NAME": "kv-cosellabcdefghijklm",
        "APP_SETTINGS": {"ENVIRONMENT": environment, "SYNC": "preview", "MAPPING": f"mapping/{environment}.toml"},
    }
    return {"properties": {"outputs": {name: {"value": value} for name, value in values.items()}}}


def answer_as_empty_subscription(azure: FakeAzure) -> None:
    """Let the subscription be empty, and each command succeed."""
    script = azure.folder / "az"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{fake_az_program.__file__}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    azure.answer("version", {"azure-cli": "2.91.0"})
    azure.answers["bicep version"] = [{"text": "Bicep CLI version 0.38.33 (6bb5d5f859)"}]
    azure.answer("account show", {"id": SUBSCRIPTION, "name": "Contoso", "tenantId": "tenant-1"})
    azure.answer("provider list", [{"namespace": name, "registrationState": "Registered"} for name in PROVIDERS])
    azure.answer("resource list", [])
    azure.answer("rest get", {"value": [{"actions": ["*"], "notActions": []}]})
    azure.answer("functionapp list-flexconsumption-locations", [{"name": "northeurope"}, {"name": "westeurope"}])
    change = {"changeType": "Create", "resourceId": "/subscriptions/s/resourceGroups/rg-cosell-staging", "delta": None}
    azure.answer("deployment sub what-if", {"status": "Succeeded", "changes": [change]})
    answer_deployment(azure, "staging")
    azure.answer("functionapp function list", [{"name": f"app/{name}"} for name in FUNCTIONS])
    azure.answer("functionapp function keys list", {"default": "the-function-key"})


def answer_deployment(azure: FakeAzure, environment: str) -> None:
    """Let the deployment of this environment succeed with its outputs."""
    health = f"{azure.health_server.url}/{environment}/api/health"
    azure.answer("deployment sub create", deployment_outputs(environment, health))
