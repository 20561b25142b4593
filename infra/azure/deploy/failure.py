"""Why a deployment stops: one sentence, one remedy, an exit code. A second run succeeds once the remedy is done."""

import re
from dataclasses import dataclass

from shared.cli.exit_codes import Exit
from shared.foundation.errors import MAX_REMOTE_TEXT

RIGHTS = (
    "Ask for Contributor and Role Based Access Control Administrator (or Owner) on the subscription; then run again."
)


class Stopped(Exception):
    """The deployment goes no further; nothing that ran before is harmed."""

    def __init__(self, sentence: str, remedy: str, code: Exit = Exit.REFUSED) -> None:
        """Both for a person."""
        super().__init__(sentence)
        self.sentence, self.remedy, self.code = sentence, remedy, code


@dataclass(frozen=True, slots=True)
class Known:
    """A failure of `az` that is understood: `pattern` finds it in the text; groups of it fill the sentence."""

    pattern: str
    sentence: str
    remedy: str
    code: Exit = Exit.REFUSED

    def seen(self, text: str) -> Stopped | None:
        """The failure, if this is it."""
        found = re.search(self.pattern, text, re.DOTALL)
        if found is None:
            return None
        parts = {name: (value or "").strip() or "?" for name, value in found.groupdict().items()}
        return Stopped(self.sentence.format(**parts), self.remedy.format(**parts), self.code)


AGAIN = "Wait a few minutes and run again: what is there already is kept."
KNOWN = (
    Known(
        r"az login|AADSTS\d+|No subscription found|refresh token has expired",
        "The Azure CLI is not logged in, or its login has ended.",
        "az login",
        Exit.SIGN_IN,
    ),
    Known(
        r"MissingSubscriptionRegistration|not registered to use namespace '(?P<name>[\w.]+)'",
        "The subscription lacks a resource provider.",
        "Run again and say yes to the registration, or: az provider register --wait --namespace NAME",
    ),
    Known(
        r"AuthorizationFailed.{0,200}?perform action '(?P<action>[^']+)'",
        "You lack the right {action}.",
        RIGHTS,
    ),
    Known(r"AuthorizationFailed|LinkedAuthorizationFailed", "You lack a right that the deployment needs.", RIGHTS),
    Known(
        r"RequestDisallowedByPolicy.{0,400}?policy[^'\"]*['\"\\]+(?P<name>[\w .-]+)",
        "A policy of your organisation forbids a resource: {name}.",
        "Ask for an exemption, or change the parameter that it objects to in the parameter file.",
    ),
    Known(
        r"ObjectIsDeletedButRecoverable|secret (?P<name>[\w-]+) is currently in a deleted but recoverable state",
        "A secret of the vault was deleted, and its name is taken until it is recovered.",
        "az keyvault secret recover --vault-name VAULT --name partner-center-refresh-token",
    ),
    Known(
        r"(?:StorageAccountAlreadyTaken|storage account named (?P<name>\w+) is already taken)",
        "The name of the storage account is taken by somebody else in Azure.",
        "Set another workloadName in the parameter file.",
    ),
    Known(
        r"(?:VaultAlreadyExists|WebsiteNameAlreadyTaken|Website with given name (?P<name>[\w-]+) already exists)",
        "A name that must be unique in all Azure is taken by somebody else.",
        "Set another workloadName in the parameter file.",
    ),
    Known(
        r"InvalidDeploymentLocation.{0,300}?in location '(?P<place>\w+)'",
        "An earlier deployment of this name was made in {place}.",
        "AZURE_LOCATION={place}, or: az deployment sub delete --name cosell-ENV",
    ),
    Known(
        r"DeploymentActive|DeploymentBeingCancelled", "Another deployment of this environment runs.", AGAIN, Exit.RETRY
    ),
    Known(r"PrincipalNotFound", "Entra ID does not know the app's new identity everywhere yet.", AGAIN, Exit.RETRY),
    Known(
        r"LocationNotAvailableForResourceType|not available in (?:location|region)",
        "The region lacks something that the connector needs.",
        "Choose one of `az functionapp list-flexconsumption-locations` and set AZURE_LOCATION.",
    ),
    Known(
        r"QuotaExceeded|OverQuota|SubscriptionIsOverQuota",
        "A quota of the subscription is used up.",
        "Ask Azure support for more, or choose another region by AZURE_LOCATION.",
    ),
    Known(
        r"BCP\d{3}: (?P<said>[^\r\n]{1,200})",
        "Bicep refuses the files: {said}",
        "Mend the parameter file; with an older Bicep: az bicep upgrade",
        Exit.USAGE,
    ),
    Known(
        r"blocked by network rules|AuthorizationFailure",
        "The storage account's firewall turns this machine away.",
        "Add this machine's public address to allowedAddresses in the parameter file, and run again.",
    ),
    Known(
        r"do not have the required permissions|AuthorizationPermissionMismatch",
        "You have no right to the data of the storage account.",
        "Deploy as the operator (operatorPrincipalId), who gets the right; it works some minutes after it was granted.",
    ),
    Known(
        r"Another deployment is in progress|ongoing deployment|[Dd]eployment conflict|[Ss]tatus [Cc]ode:? ?409",
        "Another zip is being deployed to the app.",
        AGAIN,
        Exit.RETRY,
    ),
    Known(
        r"(?:Max retries exceeded|Connection aborted|Name or service not known|timed out|getaddrinfo failed)",
        "Azure does not answer.",
        "Look at the network and run again.",
        Exit.RETRY,
    ),
)


def explained(command: str, text: str) -> Stopped:
    """A failure of `az` as a sentence with a remedy; an unknown one in the CLI's own words, cut."""
    for known in KNOWN:
        stop = known.seen(text)
        if stop is not None:
            return stop
    said = innermost(text)
    return Stopped(f"az {command} failed: {said}", "Mend what it names and run again: what is there already is kept.")


def innermost(text: str) -> str:
    """The last code and message of nested errors: the outer ones only say that something failed."""
    found = re.findall(r'"code":\s*"(\w+)".{0,200}?"message":\s*"((?:[^"\\]|\\.)+)"', text, re.DOTALL)
    said = f"{found[-1][0]}: {found[-1][1]}" if found else text.removeprefix("ERROR: ")
    return " ".join(said.split())[:MAX_REMOTE_TEXT]
