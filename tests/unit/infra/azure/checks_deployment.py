"""Checks parameter files, names, tags, modules and the README.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

import re
from collections.abc import Iterator, Mapping

from tests.unit.infra.azure.azure_files import ALL_OPTIONS, ENVIRONMENTS, SAMPLE_VARIABLES, AzureFiles
from tests.unit.infra.azure.bicep_names import Symbol
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_tree import source_of
from tests.unit.infra.azure.checks_app import HOST_SETTINGS

NAME_RULES: Mapping[str, str] = {
    "Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "KeyVault/vaults": r"(?=.{3,24}$)[a-zA-Z](?:-?[a-zA-Z0-9])+",
    "Web/sites": r"(?=.{2,32}$)[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]",  # 60, but the host's id is cut at 32
    "Web/serverfarms": r"[a-zA-Z0-9-]{1,60}",
    "ManagedIdentity/userAssignedIdentities": r"[a-zA-Z0-9][\w-]{2,127}",
    "OperationalInsights/workspaces": r"(?=.{4,63}$)[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]",
    "Insights/components": r"[\w.()-]{1,260}",
    "Insights/actionGroups": r"[\w.-]{1,260}",
    "Insights/scheduledQueryRules": r"[\w.-]{1,260}",
    "Network/virtualNetworks": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Network/privateEndpoints": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Resources/resourceGroups": r"[\w.()-]{0,89}[\w()-]",
    "Storage/storageAccounts/queueServices/queues": r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])+",
    "Storage/storageAccounts/tableServices/tables": r"[A-Za-z][A-Za-z0-9]{2,62}",
    "Storage/storageAccounts/blobServices/containers": r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])+",
    "Consumption/budgets": r"[\w-]{1,63}",
}
"""Azure's rules for names, by type."""

SHORT_NAME_LENGTH = 12
"""The longest short name of an action group."""

UNTAGGED_TYPES = re.compile(
    r"Authorization/|diagnosticSettings|budgets|Services(/|$)|/secrets|basicPublishing|privateDnsZoneGroups"
)
"""Types that cannot have tags."""


def check_parameters(files: AzureFiles) -> Iterator[str]:
    """Each environment has a parameter file, which sets all required parameters, and only to allowed values."""
    declared = files.main_template.parameters
    if tuple(declared["environmentName"].rules["allowed"]) != ENVIRONMENTS:
        yield f"environmentName allows {declared['environmentName'].rules['allowed']}"
    environments = {path.stem for path in files.folder.glob("*.bicepparam")}
    if environments != set(ENVIRONMENTS):
        yield f"the parameter files are {sorted(environments)}"
    required = {name for name, each in declared.items() if each.default is None}
    for environment in ENVIRONMENTS:
        if not files.read_text(f"{environment}.bicepparam").startswith("using 'main.bicep'\n"):
            yield f"{environment}: its first line must name main.bicep"
        values = files.parameters_of(environment)
        yield from (
            f"{environment}: the parameter {name} does not exist" for name in sorted(set(values) - set(declared))
        )
        yield from (f"{environment}: {name} is not set" for name in sorted(required - set(values)))
        for name in set(values) & set(declared):
            if reason := declared[name].why_invalid(values[name]):
                yield f"{environment}: {name} {reason}"
        if values.get("environmentName") != environment:
            yield f"{environment}: environmentName is {values.get('environmentName')}"
        yield from _check_blank_values(files, environment, required)


def _check_blank_values(files: AzureFiles, environment: str, required: set[str]) -> Iterator[str]:
    """Without a value the compiler must name the variable (BCP427); a blank one must be refused."""
    path = files.folder / f"{environment}.bicepparam"
    blank_values = Template(path, environ=dict.fromkeys(SAMPLE_VARIABLES, "")).variables
    for name in sorted(required - {"environmentName", "location"}):
        if not files.main_template.parameters[name].why_invalid(blank_values.get(name, "")):
            yield f"{environment}: {name} may be blank, and the deployment does not fail"
        try:
            Template(path).value(name)
        except LookupError:
            continue
        yield f"{environment}: {name} has a value although its variable is not set"


def check_names(files: AzureFiles) -> Iterator[str]:
    """Names follow Azure's rules for the longest inputs, and differ between the environments."""
    for case, resources in files.cases.items():
        for each in resources:
            rule = NAME_RULES.get(each.type.removeprefix("Microsoft."))
            name = str(each.body.get("name"))
            if rule and not each.existing and not re.fullmatch(rule, name):
                yield f"{case}: {name!r} ({len(name)} characters) is not a valid name for {each.type}"
        (group,) = files.resources_of_type("Insights/actionGroups", case)
        if not 1 <= len(group.properties["groupShortName"]) <= SHORT_NAME_LENGTH:
            yield f"{case}: the action group's short name is {group.properties['groupShortName']!r}"
    longest = files.main_template.parameters["workloadName"].rules.get("maxLength")
    if longest != len(ALL_OPTIONS["workloadName"]):
        yield f"workloadName may have {longest} characters, but the checks use another length"
    if "uniqueString(subscription().id, workloadName, environmentName, location)" not in files.read_text("main.bicep"):
        yield "names that are unique in Azure must depend on subscription, workload, environment and region"


def check_tags(files: AzureFiles) -> Iterator[str]:
    """Every resource that can have tags has the tags of its environment and the deployer's own tags."""
    for each in files.template_for("production", tags={"owner": "sales"}, **ALL_OPTIONS).resources():
        if each.existing or UNTAGGED_TYPES.search(each.type) or each.type.endswith("/subnets"):
            continue
        expected = {
            "application": "cosell",
            "environment": "production",
            "owner": "sales",
        }
        if not expected.items() <= each.body.get("tags", {}).items():
            yield f"{each.file}: {each.symbol} does not have the tags"


def check_modules(files: AzureFiles) -> Iterator[str]:
    """All modules are local files and in use, and optional ones are deployed only with their option."""
    used = set(files.main_template.modules.values())
    imported = set(re.findall(r"^import .* from '([^']+)'", files.read_text("main.bicep"), re.MULTILINE))
    existing = {f"modules/{path.name}" for path in (files.folder / "modules").glob("*.bicep")}
    yield from (f"no file uses {name}" for name in sorted(existing - used - imported))
    yield from (f"{name} does not exist" for name in sorted(used - existing))
    for path in files.bicep_files():
        if re.search(r"'(br|ts)[:/]", path.read_text(encoding="utf-8")):
            yield f"{path.name} fetches a module from a registry"
    for environment in ENVIRONMENTS:
        yield from (f"{environment}: {name} is deployed without its option" for name in _optional(files, environment))
        with_options = {each.file for each in files.cases[f"{environment}, all options"]}
        yield from (f"{name} is never deployed" for name in sorted(used - {f"modules/{each}" for each in with_options}))
    yield from _check_outputs(files)


def _optional(files: AzureFiles, case: str) -> Iterator[str]:
    """The resources of a case that belong to an option."""
    app = files.function_app(case).id
    for each in files.cases[case]:
        if re.match(r"Microsoft\.(Network|Consumption)/", each.type) or (
            each.type.endswith("/diagnosticSettings") and each.reference.scope == app
        ):
            yield each.id


def _check_outputs(files: AzureFiles) -> Iterator[str]:
    template = files.template_for("production")
    for name in template.outputs:
        value = template.output_value(name)
        if not value or (isinstance(value, Symbol) and "ConnectionString" in value):
            yield f"the output {name} is {value!r}"
    deployed, settings = files.app_settings(), template.output_value("APP_SETTINGS")
    if not settings.items() <= deployed.items() or HOST_SETTINGS & set(settings):
        yield "APP_SETTINGS must have the settings of the code, and none of the host's"


def check_readme(files: AzureFiles) -> Iterator[str]:
    """The README has the parameters with their defaults, outputs, roles, providers and files, and no others."""
    yield from _compare_with_readme("parameter", files.readme_codes("Parameters"), list(files.main_template.parameters))
    yield from _compare_with_readme("output", files.readme_codes("Outputs"), list(files.main_template.outputs))
    granted = Template(files.folder / "modules" / "constants.bicep").value("roles").values()
    yield from _compare_with_readme("role", files.readme_codes("Roles", 1), list(granted))
    rights = files.read_text("README.md").split("## The deployer's rights")[1].split("\n## ")[0]
    used = {each.type.split("/")[0] for resources in files.cases.values() for each in resources}
    used.add("Microsoft.App")  # the network's delegation, and Flex Consumption itself
    yield from _compare_with_readme("provider", re.findall(r"`(Microsoft\.\w+)`", rights), list(used))
    all_names = {str(path.relative_to(files.folder)) for path in files.folder.rglob("*") if path.is_file()}
    names = {name for name in all_names if not name.startswith("deploy/")} - {"README.md"}
    listed = re.findall(r"`([\w./]+\.(?:bicep|bicepparam|json))`", files.read_text("README.md").split("\n## ")[0])
    yield from _compare_with_readme("file", listed, list(names))
    section = files.read_text("README.md").split("\n## Parameters\n")[1].split("\n## ")[0]
    rows = {row.split("|")[1].strip(" `"): row.split("|")[2].strip(" `") for row in section.splitlines() if "`" in row}
    for name, each in files.main_template.parameters.items():
        default = rows.get(name)
        if (default == "required") is not (each.default is None):
            yield f"README: {name} is required only in one of the two"
        if (
            each.default is not None
            and each.default.type in ("number", "boolean")
            and default != source_of(each.default)
        ):
            yield f"README: the default of {name} is {source_of(each.default)}, not {default}"


def _compare_with_readme(kind: str, in_readme: list[str], in_files: list[str]) -> Iterator[str]:
    yield from (f"README: the {kind} {name} does not exist" for name in sorted(set(in_readme) - set(in_files)))
    yield from (f"README: the {kind} {name} is missing" for name in sorted(set(in_files) - set(in_readme)))
