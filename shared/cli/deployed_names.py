"""Read the names of an environment's resources from Azure, where `.cosell/NAME.toml` is missing.

`make deploy` gives each environment's deployment one name and many outputs (infra/azure/README.md#outputs), so a person
on call needs a checkout and `az login`, and nothing that another machine has written.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.cli.azure_cli import run_az
from shared.cli.environment import Environment, environment_file, read_environment, write_environment
from shared.cli.output import Output
from shared.cli.proxy import use_proxy_for
from shared.foundation.errors import ConfigurationError, NotFound

type RunAz = Callable[[Sequence[str]], Any]
"""Runs a command of the Azure CLI and returns its JSON, or None for what does not exist."""

NEEDED_OUTPUTS = frozenset({"FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "HEALTH_URL", "STORAGE_ACCOUNT_NAME"})
"""Without these outputs no command can work."""


def deployment_name(environment: str) -> str:
    """The name of an environment's deployment in its subscription.

    >>> deployment_name("staging")
    'cosell-staging'
    """
    return f"cosell-{environment}"


def open_environment(name: str, output: Output) -> Environment:
    """Read an environment's file. Where it is missing, read the names from Azure, and write the file.

    Raises ConfigurationError with the command that comes first, and what `run_az` raises.
    """
    if name == "local" or environment_file(name).exists():
        return read_environment(name)
    use_proxy_for(Environment(name))
    account = _read_account(name)
    environment = fetch_environment(name, account, _run_az_or_none)
    path = write_environment(environment)
    output.say(f"Read the names of the resources from {account.get('name')}, and wrote them to {path}.")
    return environment


def _read_account(name: str) -> Mapping[str, str]:
    """What `az account show` prints."""
    try:
        account: Mapping[str, str] | None = run_az(["account", "show"])
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{environment_file(name)} does not exist: run `make deploy ENV={name}` first, or change to the folder "
            f"where it ran. A command can read the names from Azure too, but {error}"
        ) from None
    return account or {}


def _run_az_or_none(words: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON that the command prints
    try:
        return run_az(words)
    except NotFound:
        return None


def fetch_environment(name: str, account: Mapping[str, str], run: RunAz) -> Environment:
    """Return an environment from the outputs of its last deployment, with the settings that its app has now.

    `account` is the answer of `az account show`. Raises ConfigurationError if the subscription has no such deployment,
    or if the deployment failed and so has no outputs.
    """
    deployment = run(["deployment", "sub", "show", "--name", deployment_name(name)])
    path, subscription = environment_file(name), f"{account.get('name')} ({account.get('id')})"
    if deployment is None:
        raise ConfigurationError(
            f"{path} does not exist, and the subscription {subscription} has no deployment {deployment_name(name)}: "
            f"run `make deploy ENV={name}` first, or choose another subscription with `az account set`"
        )
    outputs = (deployment.get("properties") or {}).get("outputs") or {}
    environment = environment_from_outputs(name, outputs, account)
    if missing := NEEDED_OUTPUTS - environment.deployment.keys():
        raise ConfigurationError(
            f"{path} does not exist, and the last deployment to {subscription} did not end well, so it does not tell "
            f"{', '.join(sorted(missing))}: run `make deploy ENV={name}`, or copy the file from where it ran"
        )
    return Environment(name, _present_settings(environment, run), environment.deployment)


def environment_from_outputs(name: str, outputs: Mapping[str, Any], account: Mapping[str, str]) -> Environment:
    """Return an environment with the outputs of a deployment. Resource Manager changes the case of some names."""
    values = {key.upper(): output.get("value") for key, output in outputs.items()}
    settings = values.pop("APP_SETTINGS", None) or {}
    ids = {"AZURE_SUBSCRIPTION_ID": account.get("id", ""), "AZURE_TENANT_ID": account.get("tenantId", "")}
    names = {key: str(value) for key, value in values.items()} | ids
    return Environment(name, {key: str(value) for key, value in settings.items()}, names)


def _present_settings(environment: Environment, run: RunAz) -> dict[str, str]:
    """The settings of the deployment with the app's present values: since then, `cosell turn-on` may have set SYNC."""
    app, group = (environment.deployment[key] for key in ("FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP"))
    words = ["functionapp", "config", "appsettings", "list", "--name", app, "--resource-group", group]
    present = {str(entry.get("name")): str(entry.get("value") or "") for entry in run(words) or []}
    return {key: present.get(key, value) for key, value in environment.settings.items()}
