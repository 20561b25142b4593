"""The function app against the code: settings, queues and tables, runtime (reference/azure.md 4.3, checks 1 to 3)."""

import json
import re
import tomllib
from collections.abc import Iterator

from tree_sitter import Node

from shared.settings.variables import StoreSettings
from tests.unit.infra.azure.azure_home import (
    LOCAL_ONLY,
    PENDING_SETTINGS,
    ROOT,
    Home,
    code_settings,
    functions,
    trigger_settings,
)
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_values import named, text

HOST = frozenset(
    {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "AzureFunctionsJobHost__extensions__queues__batchSize",
        "AzureFunctionsJobHost__extensions__queues__newBatchThreshold",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
    }
)
"""What the host reads."""

REJECTED = re.compile(
    r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsDashboard|AzureWebJobsStorage$|TZ$|PYTHONDONTWRITE"
)
"""What Flex Consumption ignores or suffers from (reference/azure.md 6.3)."""

REJECTED_PROPERTIES = frozenset({"linuxFxVersion", "alwaysOn", "functionAppScaleLimit", "preWarmedInstanceCount"})


def settings(home: Home) -> Iterator[str]:
    """The app settings are those that code and host read, each once, and no other."""
    read = set(code_settings()) | trigger_settings() | PENDING_SETTINGS
    optional = {text(named(each)[0]) for each in named(_optional(home))}
    yield from (f"{name}: optional, but the code does not read it" for name in sorted(optional - read))
    for case in home.cases:
        listed = [each["name"] for each in home.site(case).properties["siteConfig"]["appSettings"]]
        given = set(listed)
        yield from (f"{case}: {name} stands twice" for name in sorted(given) if listed.count(name) > 1)
        yield from (f"{case}: nobody reads {name}" for name in sorted(given - read - HOST))
        yield from (f"{case}: the host needs {name}" for name in sorted(HOST - given))
        yield from (f"{case}: the code reads {name}" for name in sorted(read - given - optional - LOCAL_ONLY))
        yield from (f"{case}: {name} is fixed and optional" for name in sorted((given & optional) - _switched(home)))
        yield from (f"{case}: Flex Consumption rejects {name}" for name in sorted(given) if REJECTED.match(name))
    yield from _required(home, optional)


def _optional(home: Home) -> Node:
    return Template(home.folder / "modules" / "settings.bicep").types["optionalSettings"]


def _switched(home: Home) -> set[str]:
    return {name for environment in ("staging", "production") for name in home.parameters(environment)["settings"]}


def _required(home: Home, optional: set[str]) -> Iterator[str]:
    for name, field in code_settings().items():
        if field.is_required() and name in optional:
            yield f"{name} has no default in the code, so it cannot be optional"
    if (default := home.main.parameters["sync"].default) is None or text(default) != "'preview'":
        yield "without being told otherwise, a deployment must start in preview"
    said = home.app_settings()
    yield from (f"{name} is empty" for name, value in said.items() if not value and name not in optional)
    for environment in ("staging", "production"):
        said = home.app_settings(environment)
        if (said["ENVIRONMENT"], said["MAPPING"]) != (environment, f"mapping/{environment}.toml"):
            yield f"{environment}: ENVIRONMENT or MAPPING is another environment's"
        if said["SYNC"] != "preview":
            yield f"{environment}: a new deployment must start in preview"


def queues(home: Home) -> Iterator[str]:
    """Queues, table and container are those that code and app name; every trigger queue has its poison queue."""
    made = {each.body["name"] for each in home.of_type("Storage/storageAccounts/queueServices/queues")}
    said = home.app_settings()
    wanted = {name.replace("%EVENTS_QUEUE%", said["EVENTS_QUEUE"]) for name in _trigger_queues()}
    wanted |= {f"{name}-poison" for name in wanted if not name.endswith("-poison")}
    yield from (f"the queue {name} is not made" for name in sorted(wanted - made))
    yield from (f"the queue {name} is nobody's" for name in sorted(made - wanted))
    tables = [each.body["name"] for each in home.of_type("Storage/storageAccounts/tableServices/tables")]
    if tables != [said["STORE_TABLE"]] or tables != [StoreSettings.model_fields["table"].default]:
        yield f"tables {tables}, but the code uses {StoreSettings.model_fields['table'].default}"
    containers = {each.body["name"] for each in home.of_type("Storage/storageAccounts/blobServices/containers")}
    package = home.site().properties["functionAppConfig"]["deployment"]["storage"]["value"]
    if package.rpartition(">")[2] not in containers:
        yield f"the package lies in {package}, which is not made"


def _trigger_queues() -> set[str]:
    sources = [file.read_text(encoding="utf-8") for file in functions()]
    return {name for source in sources for name in re.findall(r'queue_name="([^"]+)"', source)}


def runtime(home: Home) -> Iterator[str]:
    """Plan, Python, memory and concurrency are those that the code is made and tested for."""
    (plan,) = home.of_type("Web/serverfarms")
    if plan.body["sku"] != {"name": "FC1", "tier": "FlexConsumption"} or plan.properties != {"reserved": True}:
        yield "the plan is not Flex Consumption on Linux"
    site = home.site().properties
    config = site["functionAppConfig"]
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if config["runtime"] != {"name": "python", "version": version} or project["requires-python"] != f">={version}":
        yield f"the runtime is {config['runtime']}, the tests run Python {version}"
    if found := sorted(REJECTED_PROPERTIES & ({*site} | {*site["siteConfig"]})):
        yield f"Flex Consumption rejects {', '.join(found)}"
    yield from _scale(home, config["scaleAndConcurrency"])


def _scale(home: Home, scale: dict[str, object]) -> Iterator[str]:
    wanted = {"instanceMemoryMB": 2048, "maximumInstanceCount": 40, "alwaysReady": []}
    wanted |= {"triggers": {"http": {"perInstanceConcurrency": 16}}}
    yield from (
        f"{name} is {scale.get(name)}, not {value}" for name, value in wanted.items() if scale.get(name) != value
    )
    full = home.site("production, all options").properties["functionAppConfig"]["scaleAndConcurrency"]
    if full["alwaysReady"] != [{"name": "http", "instanceCount": 2}]:
        yield f"alwaysReady is {full['alwaysReady']}"
    of_host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    prefix, said = "AzureFunctionsJobHost__extensions__queues__", home.app_settings()
    for name in ("batchSize", "newBatchThreshold"):
        if said.get(prefix + name) != str(of_host[name]):
            yield f"{name} is {said.get(prefix + name)}, but {of_host[name]} in host.json"
