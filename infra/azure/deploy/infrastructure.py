"""Deploys the Bicep files: shows what would change, asks, deploys, and writes down the names of the resources."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.azure.deploy.az import AzError
from infra.azure.deploy.failure import OTHER_WORKLOAD_NAME, DeploymentFailure, explain_az_error
from infra.azure.deploy.preflight import Account
from infra.azure.deploy.session import Session
from shared.cli import environment

UNCHANGED = frozenset({"Ignore", "NoChange"})
SOFT_DELETED = re.compile(
    r"same name already exists in deleted state|VaultAlreadyExists|recently deleted but not purged"
)
VAULT = re.compile(r"\bkv-[a-z0-9]{10,21}\b")


@dataclass(frozen=True, slots=True)
class Target:
    """The resources of one environment: outputs (infra/azure/README.md#outputs), app settings, subscription id."""

    outputs: Mapping[str, str]
    settings: Mapping[str, str]
    subscription: str

    @property
    def app_options(self) -> tuple[str, ...]:
        """The options of the Azure CLI that name the function app."""
        return ("--name", self.outputs["FUNCTION_APP_NAME"], "--resource-group", self.outputs["AZURE_RESOURCE_GROUP"])


def confirm_changes(session: Session, region: str) -> None:
    """Show what the deployment would change, and ask. Raises DeploymentFailure.

    Prints the names of changed properties, never their values: a value may be a secret.
    """
    options = (*_deployment_options(session, region), "--no-pretty-print")
    answer = session.run_az("deployment", "sub", "what-if", *options) or {}
    changes = [change for change in answer.get("changes") or [] if change["changeType"] not in UNCHANGED]
    for change in changes:
        paths = ", ".join(part["path"] for part in change.get("delta") or [] if part.get("path"))
        line = f"  {change['changeType']:<12} {_short_resource_id(change['resourceId'])}"
        session.say(f"{line}: {paths}" if paths else line)
    counts = Counter(change["changeType"] for change in changes)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"
    session.require_confirmation(f"Changes to {session.environment} in {region}: {summary}. Continue?")


def deploy_resources(session: Session, region: str, account: Account) -> Target:
    """Deploy the Bicep files, and write the names of the resources to `.cosell`. Raises DeploymentFailure."""
    words = ("deployment", "sub", "create", *_deployment_options(session, region))
    session.say("Deploying the resources. The first time this takes some minutes.")
    try:
        deployment = session.az.run_json(*words)
    except AzError as error:
        deployment = _retry_with_recovered_vault(session, words, error)
    target = _target_from_outputs((deployment or {}).get("properties", {}).get("outputs") or {}, account)
    _write_target(session, target, account)
    return target


def _deployment_options(session: Session, region: str) -> tuple[str, ...]:
    return (
        "--location", region, "--name", session.deployment_name, "--parameters", str(session.parameter_file),
    )  # fmt: skip


def _retry_with_recovered_vault(session: Session, words: tuple[str, ...], error: AzError) -> Any:  # noqa: ANN401 - the deployment's JSON
    """Deploy again and recover the vault, if the error is a deleted vault that still holds the name.

    Asks before. Raises DeploymentFailure for any other error.
    """
    match = VAULT.search(error.text)
    if not SOFT_DELETED.search(error.text) or match is None:
        raise explain_az_error(error) from error
    vault = match[0]
    deleted = session.run_az_or_none("keyvault", "show-deleted", "--name", vault, missing="No deleted Vault")
    if deleted is None:
        sentence = f"The vault name {vault} is already taken by another Azure customer."
        raise DeploymentFailure(sentence, OTHER_WORKLOAD_NAME) from error
    session.require_confirmation(
        f"The vault {vault} was deleted and cannot be purged. Recover it, with the secrets it had?"
    )
    return session.run_az(*words, "recoverVault=true")


def _target_from_outputs(outputs: Mapping[str, Any], account: Account) -> Target:
    """Resource Manager returns some output names in another case than the file has, so upper case is restored."""
    values = {name.upper(): output.get("value") for name, output in outputs.items()}
    settings = values.pop("APP_SETTINGS", None) or {}
    texts = {name: str(value) for name, value in values.items()}
    missing = {"FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "HEALTH_URL", "STORAGE_ACCOUNT_NAME"} - texts.keys()
    if missing:
        raise DeploymentFailure(f"The deployment did not return {', '.join(sorted(missing))}.", "Run again.")
    return Target(texts, {name: str(value) for name, value in settings.items()}, account.id)


def _write_target(session: Session, target: Target, account: Account) -> None:
    """Write `.cosell/ENV.toml`."""
    ids = {"AZURE_SUBSCRIPTION_ID": account.id, "AZURE_TENANT_ID": account.tenant}
    names = environment.Environment(session.environment, target.settings, {**target.outputs, **ids})
    path = environment.write_environment(names, session.names_folder)
    session.say(f"Wrote the names of the resources to {path.relative_to(session.root)}, which `cosell` reads.")


def read_target(session: Session) -> Target:
    """The resources that the last deployment wrote to `.cosell`. Raises ConfigurationError if it wrote no file."""
    names = environment.read_environment(session.environment, session.names_folder)
    return Target(names.deployment, names.settings, names.deployment.get("AZURE_SUBSCRIPTION_ID", ""))


def _short_resource_id(resource_id: str) -> str:
    return "/".join(resource_id.rpartition("/providers/")[2].split("/")[-3:])
