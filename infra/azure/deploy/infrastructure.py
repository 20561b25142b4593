"""The Bicep files become resources: what would change, a question, the deployment, and the names that it leaves."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure.deploy.az import AzFailed
from infra.azure.deploy.failure import Stopped, explained
from infra.azure.deploy.preflight import Account
from infra.azure.deploy.session import Session
from shared.cli import environment

SILENT = frozenset({"Ignore", "NoChange"})
SOFT_DELETED = re.compile(
    r"same name already exists in deleted state|VaultAlreadyExists|recently deleted but not purged"
)
VAULT = re.compile(r"\bkv-[a-z0-9]{10,21}\b")


@dataclass(frozen=True, slots=True)
class Target:
    """What the deployment made: its outputs (infra/azure/README.md)."""

    outputs: Mapping[str, str]
    settings: Mapping[str, str]
    subscription: str

    @property
    def app(self) -> tuple[str, ...]:
        """The function app, as options."""
        said = self.outputs
        return ("--name", said["FUNCTION_APP_NAME"], "--resource-group", said["AZURE_RESOURCE_GROUP"])


def preview(session: Session, location: str) -> None:
    """Show what the deployment would change, and ask. Raises Stopped."""
    said = session.run("deployment", "sub", "what-if", *_options(session, location), "--no-pretty-print") or {}
    changes = [row for row in said.get("changes") or [] if row["changeType"] not in SILENT]
    for row in changes:
        paths = ", ".join(part["path"] for part in row.get("delta") or [] if part.get("path"))
        session.say(f"  {row['changeType']:<12} {_short(row['resourceId'])}" + (f": {paths}" if paths else ""))
    counts = Counter(row["changeType"] for row in changes)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing changes"
    session.sure(f"{session.environment} in {location}: {told}. Go on?")


def create(session: Session, location: str, account: Account) -> Target:
    """Deploy, and leave the names in `.cosell`. Raises Stopped."""
    words = ("deployment", "sub", "create", *_options(session, location))
    session.say("deploying resources (some minutes the first time)")
    try:
        said = session.az.run(*words)
    except AzFailed as failed:
        said = _recovered(session, words, failed)
    target = _target((said or {}).get("properties", {}).get("outputs") or {}, account)
    leave(session, target, account)
    return target


def _options(session: Session, location: str) -> tuple[str, ...]:
    return ("--location", location, "--name", session.deployment, "--parameters", str(session.parameters))


def _recovered(session: Session, words: tuple[str, ...], failed: AzFailed) -> Any:  # noqa: ANN401 - the answer's JSON
    """Try again with the vault brought back, if it was deleted and cannot be purged; else stop with the reason."""
    named = VAULT.search(failed.text)
    if not SOFT_DELETED.search(failed.text) or named is None:
        raise explained(failed.command, failed.text) from failed
    vault = named[0]
    deleted = session.found("keyvault", "show-deleted", "--name", vault, none="No deleted Vault")
    if deleted is None:
        sentence = f"The name of the vault, {vault}, is taken by somebody else in Azure."
        raise Stopped(sentence, "Set another workloadName in the parameter file.") from failed
    session.sure(f"The vault {vault} was deleted and cannot be purged. Bring it back, with the secrets it had?")
    return session.run(*words, "recoverVault=true")


def _target(said: Mapping[str, Any], account: Account) -> Target:
    """Resource Manager returns some names of outputs in another case than the file has them."""
    values = {name.upper(): row.get("value") for name, row in said.items()}
    settings = values.pop("APP_SETTINGS", None) or {}
    outputs = {name: str(value) for name, value in values.items()}
    lacking = {"FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "HEALTH_URL", "STORAGE_ACCOUNT_NAME"} - outputs.keys()
    if lacking:
        raise Stopped(f"The deployment left no {', '.join(sorted(lacking))}.", "Run again.")
    return Target(outputs, {name: str(value) for name, value in settings.items()}, account.id)


def leave(session: Session, target: Target, account: Account) -> None:
    """Write `.cosell/ENV.toml`."""
    ids = {"AZURE_SUBSCRIPTION_ID": account.id, "AZURE_TENANT_ID": account.tenant}
    left = environment.Environment(session.environment, target.settings, {**target.outputs, **ids})
    path = environment.write_environment(left, session.names)
    session.say(f"names left in {path.relative_to(session.root)} for the command line")


def known(session: Session, name: str | None = None) -> Target:
    """What an earlier deployment of an environment left. Raises ConfigurationError if there is none."""
    left = environment.read_environment(name or session.environment, session.names)
    return Target(left.deployment, left.settings, left.deployment.get("AZURE_SUBSCRIPTION_ID", ""))


def _short(resource_id: str) -> str:
    return "/".join(resource_id.rpartition("/providers/")[2].split("/")[-3:])
