"""Reads the values that are deployed now, so that a new deployment keeps them.

The parameter files read environment variables. Four of them are switches of the running app: a deployment keeps their
deployed values, whatever the shell contains, and so never turns the sync on or off. Every other variable has the
shell's value, or else its deployed value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit

SWITCHES: Mapping[str, str] = {"SYNC": "preview", "SYNC_FROM": "", "PUSH_PAUSED": "", "PULL_PAUSED": ""}
"""The switches, with their values in a new app."""
OPTIONAL = frozenset({"ALERT_EMAILS", *SWITCHES})
REGION = "AZURE_LOCATION"
APPLICATION_TAG = "cosell"


@dataclass(frozen=True, slots=True)
class DeployedValues:
    """The name of the running app (None: no app), its settings, and the parameters of the last deployment."""

    app: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def region(self) -> str | None:
        """The region of the last deployment, or None before the first one."""
        region = self.parameters.get("location")
        return region if isinstance(region, str) else None


def read_deployed_values(session: Session) -> DeployedValues:
    """Read the values from Azure. After a deployment that failed half-way, some are missing.

    Raises DeploymentFailure.
    """
    parameters = _last_parameters(session)
    app = _find_app(session)
    if app is None:
        return DeployedValues(parameters=parameters)
    settings = session.run_az(
        "functionapp", "config", "appsettings", "list", "--name", app["name"], "--resource-group", app["resourceGroup"]
    )
    values = {setting["name"]: setting["value"] for setting in settings or [] if setting.get("value")}
    return DeployedValues(app["name"], values, parameters)


def _last_parameters(session: Session) -> dict[str, Any]:
    words = ("deployment", "sub", "show", "--name", session.deployment_name)
    deployment = session.run_az_or_none(*words, missing="DeploymentNotFound")
    parameters = ((deployment or {}).get("properties") or {}).get("parameters") or {}
    return {name: parameter.get("value") for name, parameter in parameters.items() if isinstance(parameter, dict)}


def _find_app(session: Session) -> dict[str, Any] | None:
    """The function app with the tags of this environment, or None."""
    tags = {"application": APPLICATION_TAG, "environment": session.environment}
    sites = session.run_az("resource", "list", "--resource-type", "Microsoft.Web/sites") or []
    apps = [site for site in sites if tags.items() <= (site.get("tags") or {}).items()]
    if len(apps) > 1:
        names = ", ".join(f"{app['name']} in {app['resourceGroup']}" for app in apps)
        sentence = f"The subscription has more than one app of the environment {session.environment}: {names}."
        raise DeploymentFailure(sentence, "Delete the app that you do not use (docs/uninstall.md).", Exit.USAGE)
    return apps[0] if apps else None


def variables_for_parameter_file(session: Session, deployed: DeployedValues) -> dict[str, str]:
    """The environment variables that the parameter file reads.

    Raises DeploymentFailure, before anything is created, for a value that neither the shell nor Azure has.
    """
    shell = session.az.environ
    values = {name: shell.get(name) or _deployed_value(deployed, name) for name in _variables_to_fill(session)}
    switches = {name: deployed.settings.get(name, initial) for name, initial in SWITCHES.items()}
    for name in (name for name, value in switches.items() if shell.get(name, value) != value):
        session.say(f"{name} of the shell is ignored: the app runs with {name}={switches[name] or '(empty)'}.")
    missing = sorted(name for name, value in values.items() if not value and name not in OPTIONAL)
    if missing:
        raise DeploymentFailure(
            f"These values are missing: {', '.join(missing)}.",
            f"Set these variables in the shell, or write the values into {session.parameter_file.name}.",
            Exit.USAGE,
        )
    return {
        **{name: value for name, value in values.items() if value},
        **switches,
        REGION: _region(session, deployed),
    }


def _variables_to_fill(session: Session) -> list[str]:
    """The variables that the parameter file reads without a default, or with an empty one, as files of 0.9.0 do."""
    text = session.parameter_file.read_text(encoding="utf-8")
    return re.findall(r"readEnvironmentVariable\('(\w+)'(?:,\s*'')?\)", text)


def _deployed_value(deployed: DeployedValues, name: str) -> str:
    if name == "ALERT_EMAILS":
        return ",".join(deployed.parameters.get("alertEmails") or [])
    return deployed.settings.get(name, "")


def _region(session: Session, deployed: DeployedValues) -> str:
    """The region, which cannot change: the names of resources depend on it."""
    from_shell = session.az.environ.get(REGION)
    if from_shell and deployed.region and from_shell != deployed.region:
        raise DeploymentFailure(
            f"{REGION} is {from_shell}, but this environment was deployed to {deployed.region}.",
            f"Set {REGION}={deployed.region}. To use another region, make a new installation.",
            Exit.USAGE,
        )
    default = re.search(r"'AZURE_LOCATION', '(\w+)'", session.parameter_file.read_text(encoding="utf-8"))
    return from_shell or deployed.region or (default[1] if default else "westeurope")
