"""Read and write `.cosell/NAME.toml`, the file of an environment that `--env NAME` selects.

    [settings]        the settings of the app, by variable (docs/settings.md); none of them is a secret
    [deployment]      what the deployment created: resource group, function app and its address, vault, storage

`make deploy` writes the file. For `--env local`, `make serve` writes it and removes it when it ends.
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
    """The content of one environment's file."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    deployment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether this is the environment of `make serve`."""
        return self.name == "local"

    @property
    def app_url(self) -> str | None:
        """The address of the function app, if the deployment wrote it. Bicep writes output names in capitals."""
        outputs = {name.lower(): value for name, value in self.deployment.items()}
        return outputs.get("function_app_url")

    def apply_to_process(self) -> None:
        """Set the settings as variables of this process. A variable that is set already keeps its value.

        A person's machine has no managed identity, so the Azure CLI login opens Key Vault and Table Storage.
        """
        if not self.is_local:
            os.environ.setdefault("AZURE_CREDENTIAL", "cli")
        for variable, value in self.settings.items():
            # The app looks for a relative MAPPING in its own folder. An installed command finds it in the current one.
            is_mapping = variable == "MAPPING" and value != ""
            os.environ.setdefault(variable, str(Path(value).absolute()) if is_mapping else value)


def environment_file(name: str, folder: Path = FOLDER) -> Path:
    """Return the path of an environment's file. Raises ConfigurationError for an invalid name."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", name):
        raise ConfigurationError(f"--env: {name!r} is not a valid name of an environment (example: --env staging)")
    return folder / f"{name}.toml"


def read_environment(name: str, folder: Path = FOLDER) -> Environment:
    """Read an environment's file. Raises ConfigurationError that says how to create the file."""
    path = environment_file(name, folder)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path} does not exist: {_how_to_make(name)}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from error
    return Environment(name, _text_table(path, document, "settings"), _text_table(path, document, "deployment"))


def _how_to_make(name: str) -> str:
    if name == "local":
        return "start `make serve` or `make trouble` and let it run, or change to the folder where it runs"
    return f"run `make deploy ENV={name}` first, or change to the folder where it ran"


def _text_table(path: Path, document: Mapping[str, object], section: str) -> dict[str, str]:
    table = document.get(section, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigurationError(f"{path}: every value in [{section}] must be a text")
    return dict(table)


def write_environment(environment: Environment, folder: Path = FOLDER) -> Path:
    """Write an environment's file for later commands, and return its path."""
    path = environment_file(environment.name, folder)
    folder.mkdir(exist_ok=True)
    lines: list[str] = []
    for section, table in (("settings", environment.settings), ("deployment", environment.deployment)):
        lines += [f"[{section}]", *(f"{key} = {_quote_variable(value)}" for key, value in sorted(table.items())), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _quote_variable(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
