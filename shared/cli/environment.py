"""`--env NAME`: the names that a deployment leaves in `.cosell/NAME.toml`, as settings of this process.

    [settings]        the app's own settings, by variable (docs/settings.md); no secret is among them
    [deployment]      what the deployment made: resource group, function app, its address, vault, storage

`--env local` is what `make serve` runs: it writes `.cosell/local.toml` and removes it when it ends.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from shared.foundation.errors import ConfigurationError

FOLDER = Path(".cosell")


class Environment(Struct, frozen=True):
    """One environment's names."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    deployment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether this is what `make serve` runs."""
        return self.name == "local"

    @property
    def app_url(self) -> str | None:
        """Where the function app answers, as far as its deployment told; the template writes names in capitals."""
        told = {name.lower(): value for name, value in self.deployment.items()}
        return told.get("function_app_url")

    def apply_to_process(self) -> None:
        """Make the settings this process's own; what the shell says wins.

        A person's machine has no managed identity: Key Vault and Table Storage are opened by the Azure CLI's login.
        """
        if not self.is_local:
            os.environ.setdefault("AZURE_CREDENTIAL", "cli")
        for variable, value in self.settings.items():
            os.environ.setdefault(variable, value)


def environment_file(name: str, folder: Path = FOLDER) -> Path:
    """The file of an environment. Raises ConfigurationError for a name that is none."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", name):
        raise ConfigurationError(f"--env: {name!r} is no name of an environment (example: --env staging)")
    return folder / f"{name}.toml"


def read_environment(name: str, folder: Path = FOLDER) -> Environment:
    """Read an environment's file. Raises ConfigurationError that says how to get one."""
    path = environment_file(name, folder)
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        how = "run `make serve` first" if name == "local" else f"run `make deploy ENV={name}` first"
        raise ConfigurationError(f"{path} is not there: {how}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from error
    return Environment(name, _strings(path, said, "settings"), _strings(path, said, "deployment"))


def _strings(path: Path, said: Mapping[str, object], section: str) -> dict[str, str]:
    table = said.get(section, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigurationError(f"{path}: [{section}] holds names and texts only")
    return dict(table)


def write_environment(environment: Environment, folder: Path = FOLDER) -> Path:
    """Leave an environment's names for later commands."""
    path = environment_file(environment.name, folder)
    folder.mkdir(exist_ok=True)
    lines: list[str] = []
    for section, table in (("settings", environment.settings), ("deployment", environment.deployment)):
        lines += [f"[{section}]", *(f"{key} = {_quoted(value)}" for key, value in sorted(table.items())), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
