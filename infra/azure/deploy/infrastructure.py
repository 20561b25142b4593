"""Deploys the Bicep files: shows what would change, asks, deploys, and writes down the names of the resources."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.azure.deploy.az import AzError
from infra.azure.deploy.changes import read_changes
from infra.azure.deploy.failure import OTHER_WORKLOAD_NAME, DeploymentFailure, explain_az_error
from infra.azure.deploy.preflight import Account
from infra.azure.deploy.session import Session
from shared.cli import environment
from shared.cli.deployed_names import NEEDED_OUTPUTS, environment_from_outputs, fetch_environment

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
    changes = read_changes(session.run_az("deployment", "sub", "what-if", *options))
    for line in changes.lines():
        session.say(line)
    where = f"{session.environment} in {region}"
    summary = changes.summary()
    session.require_confirmation(
        f"Changes to {where}: {summary}. Continue?"
        if summary
        else f"Nothing changes in the resources of {where}. Continue?"
    )


def deploy_resources(session: Session, region: str, account: Account) -> Target:
    """Deploy the Bicep files, and write the names of the resources to `.cosell`. Raises DeploymentFailure."""
    words = ("deployment", "sub", "create", *_deployment_options(session, region))
    session.say("Deploying the resources. The first time this takes some minutes.")
    try:
        deployment = session.az.run_json(*words)
    except AzError as error:
        deployment = _retry_with_recovered_vault(session, words, error)
    outputs = ((deployment or {}).get("properties") or {}).get("outputs") or {}
    return _target_from_outputs(session, outputs, account)


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
        f"The vault {vault} was deleted and cannot be purged. Recover it, with the secrets it had?",
        "Run again and answer yes, or set another workloadName in the parameter file: then every resource is new.",
    )
    return session.run_az(*words, "recoverVault=true")


def _target_from_outputs(session: Session, outputs: Mapping[str, Any], account: Account) -> Target:
    names = environment_from_outputs(session.environment, outputs, account.document)
    if missing := NEEDED_OUTPUTS - names.deployment.keys():
        raise DeploymentFailure(f"The deployment did not return {', '.join(sorted(missing))}.", "Run again.")
    return _write_names(session, names)


def _write_names(session: Session, names: environment.Environment) -> Target:
    """Write `.cosell/ENV.toml`."""
    path = environment.write_environment(names, session.names_folder)
    session.say(f"Wrote the names of the resources to {path.relative_to(session.root)}, which `cosell` reads.")
    return _target(names)


def read_target(session: Session) -> Target:
    """The resources of the last deployment: from `.cosell`, or else from Azure, and then they are written to `.cosell`.

    Raises ConfigurationError if the subscription has no such deployment, and DeploymentFailure.
    """
    if environment.environment_file(session.environment, session.names_folder).exists():
        return _target(environment.read_environment(session.environment, session.names_folder))
    account = session.run_az("account", "show") or {}
    run = partial(_run_az_or_none, session)
    return _write_names(session, fetch_environment(session.environment, account, run))


def _run_az_or_none(session: Session, words: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON that the command prints
    return session.run_az_or_none(*words, missing="NotFound")


def _target(names: environment.Environment) -> Target:
    return Target(names.deployment, names.settings, names.deployment.get("AZURE_SUBSCRIPTION_ID", ""))
