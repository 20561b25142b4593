"""Checks, before anything is created: tools, login, subscription and resource providers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.azure.deploy.az import AzError
from infra.azure.deploy.failure import DeploymentFailure, explain_az_error
from infra.azure.deploy.session import Session
from shared.cli import environment
from shared.cli.exit_codes import Exit

type Version = tuple[int, ...]

MINIMUM_AZ: Version = (2, 60, 0)
"""The first version with Flex Consumption and with values beside a parameter file."""
MINIMUM_BICEP: Version = (0, 38, 3)
"""The first version with `@onlyIfNotExists()`."""
FLEX_REGIONS = ("functionapp", "list-flexconsumption-locations")
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
"""The resource providers of infra/azure/README.md#the-deployers-rights, without those of options."""


@dataclass(frozen=True, slots=True)
class Account:
    """The subscription that the Azure CLI uses. `document` is what `az account show` prints: also the tenant."""

    document: Mapping[str, str]

    @property
    def id(self) -> str:
        """The id of the subscription."""
        return self.document.get("id", "")

    @property
    def name(self) -> str:
        """The name of the subscription."""
        return self.document.get("name", "")


def run_preflight(session: Session, subscription: str | None) -> Account:
    """Check everything and return the account. `subscription` is a name or an id. Raises DeploymentFailure."""
    _check_azure_cli(session)
    _check_bicep(session)
    account = _check_subscription(session, subscription)
    _register_providers(session)
    return account


def check_login(session: Session, subscription: str | None) -> None:
    """Check what a command needs that deploys no template: the Azure CLI and its subscription.

    Raises DeploymentFailure.
    """
    _check_azure_cli(session)
    _check_subscription(session, subscription)


def check_region(session: Session, region: str) -> None:
    """Check that a region offers the plan of the app. Raises DeploymentFailure."""
    offered = {_plain(place.get("name", "")) for place in session.run_az(*FLEX_REGIONS) or []}
    if offered and _plain(region) not in offered:
        raise DeploymentFailure(
            f"The region {region} does not offer the plan Flex Consumption.",
            f"Choose a region from `az {' '.join(FLEX_REGIONS)}` and set AZURE_LOCATION to it.",
            Exit.USAGE,
        )


def _plain(region: str) -> str:
    """The name of a region as Azure's commands write it: `West Europe` is `westeurope`."""
    return region.casefold().replace(" ", "")


def _check_azure_cli(session: Session) -> None:
    versions: Mapping[str, object] = session.run_az("version") or {}
    _check_version("The Azure CLI", str(versions.get("azure-cli", "")), MINIMUM_AZ, "az upgrade")


def _check_bicep(session: Session) -> None:
    try:
        bicep = session.az.run_text("bicep", "version")
    except AzError as error:
        if "not found" not in error.text.casefold():
            raise explain_az_error(error) from error
        raise DeploymentFailure("The Bicep CLI is not installed.", "az bicep install", Exit.USAGE) from error
    _check_version("Bicep", bicep, MINIMUM_BICEP, "az bicep upgrade")


def _check_version(tool: str, printed: str, minimum: Version, remedy: str) -> None:
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", printed)
    if match is None or tuple(map(int, match.groups())) < minimum:
        installed, needed = match[0] if match else "unknown", ".".join(map(str, minimum))
        sentence = f"{tool} is too old: version {installed} is installed, {needed} or later is needed."
        raise DeploymentFailure(sentence, remedy, Exit.USAGE)


def _check_subscription(session: Session, subscription: str | None) -> Account:
    account = Account(session.run_az("account", "show") or {})
    expected = subscription or _last_subscription(session)
    if expected is None:
        if session.unattended:
            raise DeploymentFailure(
                "No subscription is named, and no person can be asked.",
                f"Add SUBSCRIPTION={account.id} (without make: --subscription {account.id}).",
                Exit.USAGE,
            )
        session.require_confirmation(f"Use the subscription {account.name} ({account.id}) for {session.environment}?")
    elif expected.casefold() not in (account.id.casefold(), account.name.casefold()):
        sentence = f"The Azure CLI uses the subscription {account.name} ({account.id}), not {expected}."
        raise DeploymentFailure(sentence, f'az account set --subscription "{expected}"', Exit.USAGE)
    session.say(f"Subscription: {account.name} ({account.id}).")
    return account


def _last_subscription(session: Session) -> str | None:
    """The subscription of the last deployment from this checkout, or None before the first one."""
    if not environment.environment_file(session.environment, session.names_folder).exists():
        return None
    return environment.read_environment(session.environment, session.names_folder).deployment.get(
        "AZURE_SUBSCRIPTION_ID"
    )


def _register_providers(session: Session) -> None:
    providers = session.run_az("provider", "list") or []
    states = {provider["namespace"].casefold(): provider["registrationState"] for provider in providers}
    missing = [name for name in PROVIDERS if states.get(name.casefold()) != "Registered"]
    if not missing:
        return
    names = ", ".join(missing)
    session.require_confirmation(f"The subscription does not have these resource providers: {names}. Register them?")
    for name in missing:
        session.say(f"Registering {name}.")
        session.run_az("provider", "register", "--namespace", name, "--wait")
