"""Checks the function app against the code: settings, queues, tables and runtime.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

import json
import re
import tomllib
from collections.abc import Iterator

from shared.settings.variables import StoreSettings
from tests.unit.infra.azure.azure_files import (
    LOCAL_SETTINGS,
    ROOT,
    AzureFiles,
    code_settings,
    trigger_modules,
    trigger_settings,
)
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_tree import Node, named_children, source_of

HOST_SETTINGS = frozenset(
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
"""The settings that the host reads."""

REJECTED_SETTINGS = re.compile(
    r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsDashboard|AzureWebJobsStorage$|TZ$|PYTHONDONTWRITE"
)
"""Settings that Flex Consumption ignores or that do harm (docs/reference/azure.md#flex-consumption)."""

REJECTED_PROPERTIES = frozenset({"linuxFxVersion", "alwaysOn", "functionAppScaleLimit", "preWarmedInstanceCount"})


def check_settings(files: AzureFiles) -> Iterator[str]:
    """The app has each setting that code and host read, once, and no others."""
    read = set(code_settings()) | trigger_settings()
    optional = {source_of(named_children(each)[0]) for each in named_children(_optional_settings(files))}
    yield from (f"{name} is an optional setting, but the code does not read it" for name in sorted(optional - read))
    for case in files.cases:
        listed = [each["name"] for each in files.function_app(case).properties["siteConfig"]["appSettings"]]
        deployed = set(listed)
        yield from (f"{case}: {name} is set twice" for name in sorted(deployed) if listed.count(name) > 1)
        yield from (f"{case}: neither code nor host reads {name}" for name in sorted(deployed - read - HOST_SETTINGS))
        yield from (f"{case}: the host needs {name}, which is not set" for name in sorted(HOST_SETTINGS - deployed))
        yield from (
            f"{case}: the code reads {name}, which cannot be set"
            for name in sorted(read - deployed - optional - LOCAL_SETTINGS)
        )
        yield from (
            f"{case}: {name} is both fixed and optional"
            for name in sorted((deployed & optional) - _settings_of_parameter_files(files))
        )
        yield from (
            f"{case}: Flex Consumption rejects {name}" for name in sorted(deployed) if REJECTED_SETTINGS.match(name)
        )
    yield from _check_required_settings(files, optional)


def _optional_settings(files: AzureFiles) -> Node:
    return Template(files.folder / "modules" / "settings.bicep").types["optionalSettings"]


def _settings_of_parameter_files(files: AzureFiles) -> set[str]:
    return {name for environment in ("staging", "production") for name in files.parameters_of(environment)["settings"]}


def _check_required_settings(files: AzureFiles, optional: set[str]) -> Iterator[str]:
    for name, field in code_settings().items():
        if field.is_required() and name in optional:
            yield f"{name} has no default in the code, so it cannot be optional"
    if (default := files.main_template.parameters["sync"].default) is None or source_of(default) != "'preview'":
        yield "the default of the parameter sync must be preview"
    settings = files.app_settings()
    yield from (f"{name} is empty" for name, value in settings.items() if not value and name not in optional)
    for environment in ("staging", "production"):
        settings = files.app_settings(environment)
        if (settings["ENVIRONMENT"], settings["MAPPING"]) != (environment, f"mapping/{environment}.toml"):
            yield f"{environment}: ENVIRONMENT or MAPPING belongs to another environment"
        if settings["SYNC"] != "preview":
            yield f"{environment}: a new deployment must start in preview"


def check_queues(files: AzureFiles) -> Iterator[str]:
    """The deployment creates the queues, table and container of the code, and a poison queue for each trigger."""
    created = {each.body["name"] for each in files.resources_of_type("Storage/storageAccounts/queueServices/queues")}
    settings = files.app_settings()
    expected = {name.replace("%EVENTS_QUEUE%", settings["EVENTS_QUEUE"]) for name in _trigger_queues()}
    expected |= {f"{name}-poison" for name in expected if not name.endswith("-poison")}
    yield from (f"the queue {name} is not created" for name in sorted(expected - created))
    yield from (f"no code uses the queue {name}" for name in sorted(created - expected))
    tables = [each.body["name"] for each in files.resources_of_type("Storage/storageAccounts/tableServices/tables")]
    if tables != [settings["STORE_TABLE"]] or tables != [StoreSettings.model_fields["table"].default]:
        yield f"the tables are {tables}, but the code uses {StoreSettings.model_fields['table'].default}"
    created_containers = files.resources_of_type("Storage/storageAccounts/blobServices/containers")
    blobs = files.only("Storage/storageAccounts").given_by_azure("properties.primaryEndpoints.blob")
    package = files.function_app().properties["functionAppConfig"]["deployment"]["storage"]["value"]
    if package not in {f"<{blobs}>{each.body['name']}" for each in created_containers}:
        yield f"the zip is deployed to the container {package}, which is not created"


def _trigger_queues() -> set[str]:
    sources = [file.read_text(encoding="utf-8") for file in trigger_modules()]
    return {name for source in sources for name in re.findall(r'queue_name="([^"]+)"', source)}


def check_runtime(files: AzureFiles) -> Iterator[str]:
    """Plan, Python version, memory and concurrency are those that the code is tested with."""
    (plan,) = files.resources_of_type("Web/serverfarms")
    if plan.body["sku"] != {"name": "FC1", "tier": "FlexConsumption"} or plan.properties != {"reserved": True}:
        yield "the plan is not Flex Consumption on Linux"
    site = files.function_app().properties
    config = site["functionAppConfig"]
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if config["runtime"] != {"name": "python", "version": version} or project["requires-python"] != f">={version}":
        yield f"the runtime is {config['runtime']}, the tests run Python {version}"
    if rejected := sorted(REJECTED_PROPERTIES & ({*site} | {*site["siteConfig"]})):
        yield f"Flex Consumption rejects {', '.join(rejected)}"
    yield from _check_scale(files, config["scaleAndConcurrency"])


def _check_scale(files: AzureFiles, scale: dict[str, object]) -> Iterator[str]:
    expected = {"instanceMemoryMB": 2048, "maximumInstanceCount": 40, "alwaysReady": []}
    expected |= {"triggers": {"http": {"perInstanceConcurrency": 16}}}
    yield from (
        f"{name} is {scale.get(name)}, not {value}" for name, value in expected.items() if scale.get(name) != value
    )
    with_options = files.function_app("production, all options").properties["functionAppConfig"]["scaleAndConcurrency"]
    if with_options["alwaysReady"] != [{"name": "http", "instanceCount": 2}]:
        yield f"alwaysReady is {with_options['alwaysReady']}"
    of_host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    prefix, settings = "AzureFunctionsJobHost__extensions__queues__", files.app_settings()
    for name in ("batchSize", "newBatchThreshold"):
        if settings.get(prefix + name) != str(of_host[name]):
            yield f"{name} is {settings.get(prefix + name)}, but {of_host[name]} in host.json"
