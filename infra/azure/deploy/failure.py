"""Explains why a deployment failed: one sentence, one remedy and an exit code.

After the remedy the same command can be run again.
"""

import re
from dataclasses import dataclass

from infra.azure.deploy.az import AzError
from shared.cli.exit_codes import Exit
from shared.foundation.errors import MAX_REMOTE_TEXT


class DeploymentFailure(Exception):
    """The command stops here. What it did before stays valid, so it can be run again."""

    def __init__(self, sentence: str, remedy: str, code: Exit = Exit.REFUSED) -> None:
        """`sentence` and `remedy` are printed for the person who deploys."""
        super().__init__(sentence)
        self.sentence, self.remedy, self.code = sentence, remedy, code


@dataclass(frozen=True, slots=True)
class KnownError:
    """An error of the Azure CLI that has its own explanation.

    `pattern` is searched for in the error text. Its named groups fill the sentence and the remedy.
    """

    pattern: str
    sentence: str
    remedy: str
    code: Exit = Exit.REFUSED

    def explain(self, text: str) -> DeploymentFailure | None:
        """The failure with its sentence filled in, or None if the text is another error."""
        match = re.search(self.pattern, text, re.DOTALL)
        if match is None:
            return None
        groups = {name: (value or "").strip() or "?" for name, value in match.groupdict().items()}
        return DeploymentFailure(self.sentence.format(**groups), self.remedy.format(**groups), self.code)


ASK_FOR_ROLES = (
    "Ask for the roles Contributor and Role Based Access Control Administrator (or Owner) on the subscription. "
    "Then run again."
)
WAIT_AND_RUN_AGAIN = "Wait a few minutes and run again. Resources that exist are kept."
OTHER_WORKLOAD_NAME = "Set another workloadName in the parameter file."

KNOWN_ERRORS = (
    KnownError(
        r"az login|AADSTS\d+|No subscription found|refresh token has expired",
        "The Azure CLI is not logged in, or its login has expired.",
        "az login",
        Exit.SIGN_IN,
    ),
    KnownError(
        r"ScopeLocked.{0,300}?delete operation",
        "A lock forbids to delete a resource.",
        "Remove it: az lock list --resource-group GROUP, az lock delete --ids ID. Then run again.",
    ),
    KnownError(
        r"ScopeLocked",
        "A lock of the kind ReadOnly forbids to change a resource.",
        "Remove it: az lock list --resource-group GROUP, az lock delete --ids ID. Run again, then restore it.",
    ),
    KnownError(
        r"MissingSubscriptionRegistration|not registered to use namespace '(?P<name>[\w.]+)'",
        "A resource provider is not registered in the subscription.",
        "Run again and answer yes to the registration, or run: az provider register --wait --namespace NAME",
    ),
    KnownError(
        r"AuthorizationFailed.{0,200}?perform action '(?P<action>[^']+)'",
        "You do not have the right {action}.",
        ASK_FOR_ROLES,
    ),
    KnownError(
        r"AuthorizationFailed|LinkedAuthorizationFailed",
        "You do not have a right that the deployment needs.",
        ASK_FOR_ROLES,
    ),
    KnownError(
        r"RequestDisallowedByPolicy.{0,400}?policy[^'\"]*['\"\\]+(?P<name>[\w .-]+)",
        "A policy of your organisation forbids a resource: {name}.",
        "Ask for an exemption, or change the value that the policy forbids in the parameter file.",
    ),
    KnownError(
        r"ObjectIsDeletedButRecoverable|secret (?P<name>[\w-]+) is currently in a deleted but recoverable state",
        "A secret of the vault was deleted. Its name is reserved until the secret is recovered.",
        "az keyvault secret recover --vault-name VAULT --name partner-center-refresh-token",
    ),
    KnownError(
        r"(?:StorageAccountAlreadyTaken|storage account named (?P<name>\w+) is already taken)",
        "The name of the storage account is already taken by another Azure customer.",
        OTHER_WORKLOAD_NAME,
    ),
    KnownError(
        r"(?:VaultAlreadyExists|WebsiteNameAlreadyTaken|Website with given name (?P<name>[\w-]+) already exists)",
        "A name that must be unique in Azure is already taken by another Azure customer.",
        OTHER_WORKLOAD_NAME,
    ),
    KnownError(
        r"InvalidDeploymentLocation.{0,300}?in location '(?P<region>\w+)'",
        "An earlier deployment with this name went to the region {region}.",
        "Set AZURE_LOCATION={region}, or run: az deployment sub delete --name cosell-ENV",
    ),
    KnownError(
        r"DeploymentActive|DeploymentBeingCancelled",
        "Another deployment of this environment is running.",
        WAIT_AND_RUN_AGAIN,
        Exit.RETRY,
    ),
    KnownError(
        r"PrincipalNotFound",
        "The app's new identity is not yet known everywhere in Entra ID.",
        WAIT_AND_RUN_AGAIN,
        Exit.RETRY,
    ),
    KnownError(
        r"LocationNotAvailableForResourceType|not available in (?:location|region)",
        "The region does not offer a service that the connector needs.",
        "Choose a region from `az functionapp list-flexconsumption-locations` and set AZURE_LOCATION to it.",
    ),
    KnownError(
        r"QuotaExceeded|OverQuota|SubscriptionIsOverQuota",
        "A quota of the subscription is used up.",
        "Ask Azure support for a higher quota, or set AZURE_LOCATION to another region.",
    ),
    KnownError(
        r"cidrSubnet|NetcfgInvalidSubnet|NetcfgSubnetRangeOutsideVnet",
        "The network of networkAddressPrefix is too small for two subnets, or is no network.",
        "Write at least a /26 in the parameter file, such as 10.20.0.0/24.",
        Exit.USAGE,
    ),
    KnownError(
        r"BCP\d{3}: (?P<message>[^\r\n]{1,200})",
        "Bicep rejects the files: {message}",
        "Correct the parameter file. If Bicep is old, run: az bicep upgrade",
        Exit.USAGE,
    ),
    KnownError(
        r"blocked by network rules|AuthorizationFailure",
        "The firewall of the storage account rejects this machine.",
        "Add this machine's public address to allowedAddresses in the parameter file, and run again.",
    ),
    KnownError(
        r"do not have the required permissions|AuthorizationPermissionMismatch",
        "You do not have the right to read and write the data of the storage account.",
        "Deploy as the operator (operatorPrincipalId), who gets this right. It takes effect after some minutes.",
    ),
    KnownError(
        r"Another deployment is in progress|ongoing deployment|[Dd]eployment conflict|[Ss]tatus [Cc]ode:? ?409",
        "Another zip is being deployed to the app.",
        WAIT_AND_RUN_AGAIN,
        Exit.RETRY,
    ),
    KnownError(
        r"(?:Max retries exceeded|Connection aborted|Name or service not known|timed out|getaddrinfo failed)",
        "Azure does not answer.",
        "Check the network connection and run again.",
        Exit.RETRY,
    ),
)
"""Searched in this order: a special pattern stands before the general one that also matches its text."""


def explain_az_error(error: AzError) -> DeploymentFailure:
    """An error of the Azure CLI as a sentence with a remedy. An unknown error keeps the CLI's own text, cut."""
    for known in KNOWN_ERRORS:
        failure = known.explain(error.text)
        if failure is not None:
            return failure
    return DeploymentFailure(
        f"az {error.command} failed: {innermost_error(error.text)}",
        "Correct what the message names and run again. Resources that exist are kept.",
    )


def innermost_error(text: str) -> str:
    """The last code and message of nested errors: the outer ones only state that something failed."""
    errors = re.findall(r'"code":\s*"(\w+)".{0,200}?"message":\s*"((?:[^"\\]|\\.)+)"', text, re.DOTALL)
    message = f"{errors[-1][0]}: {errors[-1][1]}" if errors else text.removeprefix("ERROR: ")
    return " ".join(message.split())[:MAX_REMOTE_TEXT]
