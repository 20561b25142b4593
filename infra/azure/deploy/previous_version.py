"""What an earlier deployment left in Azure, so that a new one changes only what it means to change.

The parameter files read variables of the shell. The four switches are the running app's own: whatever the shell says, a
deployment does not turn the sync on or off. All other variables: the shell's value, else the one deployed before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.azure.deploy.failure import Stopped
from infra.azure.deploy.session import Session
from shared.cli.exit_codes import Exit

SWITCHES: Mapping[str, str] = {"SYNC": "preview", "SYNC_FROM": "", "PUSH_PAUSED": "", "PULL_PAUSED": ""}
"""With what a new app starts."""
OPTIONAL = frozenset({"ALERT_EMAILS", *SWITCHES})
REGION = "AZURE_LOCATION"
TAG = "cosell"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The app that runs now, if any, its settings, and the parameters of the last deployment."""

    app: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        """Where the last deployment went."""
        said = self.parameters.get("location")
        return said if isinstance(said, str) else None


def find(session: Session) -> Earlier:
    """Look for it; a deployment that ended half-way has left some of it. Raises Stopped."""
    parameters = _parameters(session)
    app = _app(session)
    if app is None:
        return Earlier(parameters=parameters)
    rows = session.run(
        "functionapp", "config", "appsettings", "list", "--name", app["name"], "--resource-group", app["resourceGroup"]
    )
    return Earlier(app["name"], {row["name"]: row["value"] for row in rows or [] if row.get("value")}, parameters)


def _parameters(session: Session) -> dict[str, Any]:
    said = session.found("deployment", "sub", "show", "--name", session.deployment, none="DeploymentNotFound")
    given = ((said or {}).get("properties") or {}).get("parameters") or {}
    return {name: row.get("value") for name, row in given.items() if isinstance(row, dict)}


def _app(session: Session) -> dict[str, Any] | None:
    rows = session.run("resource", "list", "--resource-type", "Microsoft.Web/sites") or []
    ours = {"application": TAG, "environment": session.environment}
    found = [row for row in rows if ours.items() <= (row.get("tags") or {}).items()]
    if len(found) > 1:
        names = ", ".join(f"{row['name']} in {row['resourceGroup']}" for row in found)
        sentence = f"The subscription has more than one app of the environment {session.environment}: {names}."
        raise Stopped(sentence, "Delete the one that is not meant (docs/uninstall.md).", Exit.USAGE)
    return found[0] if found else None


def variables(session: Session, earlier: Earlier) -> dict[str, str]:
    """What the parameter file shall read. Raises Stopped for a value that is nowhere, before anything is made."""
    shell = session.az.environ
    known = {name: shell.get(name) or _before(earlier, name) for name in _read_by(session)}
    switches = {name: earlier.settings.get(name, start) for name, start in SWITCHES.items()}
    for name in (name for name, value in switches.items() if shell.get(name, value) != value):
        session.say(f"{name} of the shell is not used: the app has {switches[name] or 'none'}, and keeps it")
    missing = sorted(name for name, value in known.items() if not value and name not in OPTIONAL)
    if missing:
        named = ", ".join(missing)
        raise Stopped(
            f"Values are missing: {named}.", f"Set them in the shell, or in {session.parameters.name}.", Exit.USAGE
        )
    return {
        **{name: value for name, value in known.items() if value},
        **switches,
        REGION: _location(session, earlier),
    }


def _read_by(session: Session) -> list[str]:
    """The variables that the parameter file reads and has no default for."""
    return re.findall(r"readEnvironmentVariable\('(\w+)', ''\)", session.parameters.read_text(encoding="utf-8"))


def _before(earlier: Earlier, name: str) -> str:
    if name == "ALERT_EMAILS":
        return ",".join(earlier.parameters.get("alertEmails") or [])
    return earlier.settings.get(name, "")


def _location(session: Session, earlier: Earlier) -> str:
    """The region; names depend on it, so that it cannot change."""
    wish = session.az.environ.get(REGION)
    if wish and earlier.location and wish != earlier.location:
        sentence = f"AZURE_LOCATION says {wish}, but this environment was deployed to {earlier.location}."
        raise Stopped(sentence, f"AZURE_LOCATION={earlier.location}; a move is a new installation.", Exit.USAGE)
    said = re.search(r"'AZURE_LOCATION', '(\w+)'", session.parameters.read_text(encoding="utf-8"))
    return wish or earlier.location or (said[1] if said else "westeurope")
