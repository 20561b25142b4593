"""What must be true before anything is made: tools, login, the subscription meant, resource providers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.azure.deploy.az import AzFailed
from infra.azure.deploy.failure import Stopped, explained
from infra.azure.deploy.session import Session
from shared.cli import environment
from shared.cli.exit_codes import Exit

type Version = tuple[int, ...]

LEAST_AZ: Version = (2, 60, 0)
"""Knows Flex Consumption and parameter files with values beside them."""
LEAST_BICEP: Version = (0, 38, 3)
"""Knows `@onlyIfNotExists()`."""
PROVIDERS = (
    "Microsoft.App",
    "Microsoft.Authorization",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Resources",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""infra/azure/README.md, the deployer's rights."""


@dataclass(frozen=True, slots=True)
class Account:
    """The subscription that the Azure CLI is logged in to."""

    id: str
    name: str
    tenant: str


def check(session: Session, wanted: str | None) -> Account:
    """Check everything; `wanted` is the name or id of the subscription meant. Raises Stopped."""
    _tools(session)
    account = _account(session, wanted)
    _providers(session)
    return account


def _tools(session: Session) -> None:
    said: Mapping[str, object] = session.run("version") or {}
    _at_least("The Azure CLI", str(said.get("azure-cli", "")), LEAST_AZ, "az upgrade")
    try:
        bicep = session.az.text("bicep", "version")
    except AzFailed as failed:
        if "not found" not in failed.text.casefold():
            raise explained(failed.command, failed.text) from failed
        raise Stopped("The Bicep CLI is not there.", "az bicep install", Exit.USAGE) from failed
    _at_least("Bicep", bicep, LEAST_BICEP, "az bicep upgrade")


def _at_least(what: str, said: str, least: Version, remedy: str) -> None:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if found is None or tuple(map(int, found.groups())) < least:
        has = found[0] if found else "unknown"
        raise Stopped(f"{what} is too old: {has}, not {'.'.join(map(str, least))} or later.", remedy, Exit.USAGE)


def _account(session: Session, wanted: str | None) -> Account:
    said: Mapping[str, str] = session.run("account", "show") or {}
    account = Account(said.get("id", ""), said.get("name", ""), said.get("tenantId", ""))
    meant = wanted or _earlier(session)
    if meant is None:
        if session.unattended:
            how = f"Name it: --subscription {account.id} (make: SUBSCRIPTION={account.id})"
            raise Stopped("Which subscription is meant is not said, and nobody can be asked.", how, Exit.USAGE)
        session.sure(f"Deploy {session.environment} to the subscription {account.name} ({account.id})?")
    elif meant.casefold() not in (account.id.casefold(), account.name.casefold()):
        sentence = f"The Azure CLI is logged in to the subscription {account.name} ({account.id}), not {meant}."
        raise Stopped(sentence, f'az account set --subscription "{meant}"', Exit.USAGE)
    session.say(f"subscription {account.name} ({account.id})")
    return account


def _earlier(session: Session) -> str | None:
    """The subscription that an earlier deployment from this checkout went to."""
    if not environment.environment_file(session.environment, session.names).exists():
        return None
    return environment.read_environment(session.environment, session.names).deployment.get("AZURE_SUBSCRIPTION_ID")


def _providers(session: Session) -> None:
    states = {row["namespace"].casefold(): row["registrationState"] for row in session.run("provider", "list") or []}
    lacking = [name for name in PROVIDERS if states.get(name.casefold()) != "Registered"]
    if not lacking:
        return
    session.sure(f"The subscription lacks the resource providers {', '.join(lacking)}. Register them?")
    for name in lacking:
        session.say(f"registering {name}")
        session.run("provider", "register", "--namespace", name, "--wait")
