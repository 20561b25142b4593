"""Checks names and values of a parameter file before anything is created: a wrong one costs minutes in Azure."""

import re
from difflib import get_close_matches
from ipaddress import ip_network

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit

LONGEST_PREFIX = 26
"""A network needs two subnets of 32 addresses: for the app, and for the endpoints (modules/network.bicep)."""
_PARAMETER = re.compile(r"^param (\w+)", re.MULTILINE)
_ACTION_GROUP = re.compile(r"^param existingActionGroupId\s*=\s*'([^']+)'", re.MULTILINE)
_NETWORK = re.compile(r"^param networkAddressPrefix\s*=\s*'([^']*)'", re.MULTILINE)


def check_parameters(session: Session) -> None:
    """Check that `main.bicep` has each parameter, that the network is large enough, and that the action group exists.

    Raises DeploymentFailure. What a file computes is checked by Azure alone.
    """
    text = session.parameter_file.read_text(encoding="utf-8")
    known = _PARAMETER.findall((session.parameter_file.parent / "main.bicep").read_text(encoding="utf-8"))
    for name in _PARAMETER.findall(text):
        if name not in known:
            raise _wrong(session, f"The parameter {name} does not exist.", _remedy(name, known))
    if (network := _NETWORK.search(text)) and (fault := _network_fault(network[1])):
        raise _wrong(
            session, f"networkAddressPrefix {fault}.", "Write a network of at least a /26, such as 10.20.0.0/24"
        )

    if group := _ACTION_GROUP.search(text):
        _check_action_group(session, group[1])


def _check_action_group(session: Session, group: str) -> None:
    """Rules can name a group that does not exist: then no alert ever reaches anybody."""
    if session.run_az_or_none("resource", "show", "--ids", group, missing="NotFound") is None:
        raise _wrong(
            session,
            f"The action group of existingActionGroupId does not exist: {group}.",
            "Write an id from `az monitor action-group list --query [].id`",
        )


def _remedy(name: str, known: list[str]) -> str:
    similar = get_close_matches(name, known, n=1)
    return f"Write {similar[0]}" if similar else "Choose a name from infra/azure/README.md#parameters"


def _network_fault(text: str) -> str | None:
    try:
        network = ip_network(text)
    except ValueError:
        return f"is no network: {text}"
    return f"is too small for two subnets: {text}" if network.prefixlen > LONGEST_PREFIX else None


def _wrong(session: Session, sentence: str, remedy: str) -> DeploymentFailure:
    return DeploymentFailure(f"{session.parameter_file.name}: {sentence}", f"{remedy}, and run again.", Exit.USAGE)
