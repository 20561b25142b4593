"""Parameter files, names, tags, modules and the README of the Azure home (reference/azure.md 4.3, checks 7 and 8)."""

import json
import re
from collections.abc import Iterator, Mapping

from tests.unit.infra.azure.azure_home import ALL_OPTIONS, ENVIRONMENTS, SAMPLE, Home
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_values import Symbol, text
from tests.unit.infra.azure.checks_app import HOST

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
"""Azure's rules for names."""

UNTAGGED = re.compile(
    r"Authorization/|diagnosticSettings|budgets|Services(/|$)|/secrets|basicPublishing|privateDnsZoneGroups"
)
"""Types that take no tags."""


def parameters(home: Home) -> Iterator[str]:
    """Each environment has a file; each parameter in it exists and is taken; the required ones are set."""
    declared = home.main.parameters
    if tuple(declared["environmentName"].rules["allowed"]) != ENVIRONMENTS:
        yield f"environmentName takes {declared['environmentName'].rules['allowed']}"
    files = {path.stem for path in home.folder.glob("*.bicepparam")}
    if files != set(ENVIRONMENTS):
        yield f"parameter files: {sorted(files)}"
    required = {name for name, each in declared.items() if each.default is None}
    for environment in ENVIRONMENTS:
        if not home.text(f"{environment}.bicepparam").startswith("using 'main.bicep'\n"):
            yield f"{environment}: its first line must name main.bicep"
        given = home.parameters(environment)
        yield from (f"{environment}: there is no parameter {name}" for name in sorted(set(given) - set(declared)))
        yield from (f"{environment}: {name} is not set" for name in sorted(required - set(given)))
        for name in set(given) & set(declared):
            if wrong := declared[name].wrong(given[name]):
                yield f"{environment}: {name} {wrong}"
        if given.get("environmentName") != environment:
            yield f"{environment}: environmentName is {given.get('environmentName')}"
        yield from _blank(home, environment, required)


def _blank(home: Home, environment: str, required: set[str]) -> Iterator[str]:
    """Without the integrator's values the deployment must stop before it begins."""
    blank = Template(home.folder / f"{environment}.bicepparam").variables
    for name in sorted(required - {"environmentName", "location"}):
        if not home.main.parameters[name].wrong(blank.get(name, "")):
            yield f"{environment}: {name} may be left blank, and nothing stops"


def developer_cli(home: Home) -> Iterator[str]:
    """The file for azd gives every required parameter, by known names; `azure.yaml` finds template and app."""
    given = json.loads(home.text("main.parameters.json"))["parameters"]
    declared = home.main.parameters
    yield from (f"azd: there is no parameter {name}" for name in sorted(set(given) - set(declared)))
    for name, each in declared.items():
        if each.default is None and name not in given:
            yield f"azd: {name} is not set"
    variables = set(re.findall(r"\$\{(\w+)", home.text("main.parameters.json")))
    known = set(SAMPLE) | {"AZURE_ENV_NAME", "AZURE_LOCATION", "SYNC"} | set(given["settings"]["value"])
    yield from (f"azd: nothing is called {name}" for name in sorted(variables - known))
    project = home.project.read_text(encoding="utf-8")
    (service,) = re.findall(r"^services:\n  (\w+):\n", project, re.MULTILINE)
    if home.site().body["tags"].get("azd-service-name") != service:
        yield f"azd would not find the app of the service {service}"
    for line in ("  path: infra/azure\n", "  module: main\n", "    language: python\n", "    host: function\n"):
        if line not in project:
            yield f"azure.yaml lacks {line.strip()}"


def names(home: Home) -> Iterator[str]:
    """Names fit Azure's rules for the longest inputs, and differ between the environments."""
    for case, resources in home.cases.items():
        for each in resources:
            rule = NAME_RULES.get(each.type.removeprefix("Microsoft."))
            name = str(each.body.get("name"))
            if rule and not each.existing and not re.fullmatch(rule, name):
                yield f"{case}: {name!r} ({len(name)} characters) is no name for {each.type}"
        (group,) = home.of_type("Insights/actionGroups", case)
        if not 1 <= len(group.properties["groupShortName"]) <= _SHORT:
            yield f"{case}: the action group's short name is {group.properties['groupShortName']!r}"
    longest = home.main.parameters["workloadName"].rules.get("maxLength")
    if longest != len(ALL_OPTIONS["workloadName"]):
        yield f"workloadName may have {longest} characters: not what the checks try"
    if "uniqueString(subscription().id, workloadName, environmentName, location)" not in home.text("main.bicep"):
        yield "names that are unique in all Azure must follow from subscription, workload, environment and region"


_SHORT = 12


def tags(home: Home) -> Iterator[str]:
    """Everything that takes tags says what it belongs to, the deployer's own tags included."""
    for each in home.template("production", tags={"owner": "sales"}, **ALL_OPTIONS).resources():
        if each.existing or UNTAGGED.search(each.type) or each.type.endswith("/subnets"):
            continue
        wanted = {"application": "cosell", "environment": "production", "azd-env-name": "production", "owner": "sales"}
        if not wanted.items() <= each.body.get("tags", {}).items():
            yield f"{each.file}: {each.symbol} lacks tags"


def modules(home: Home) -> Iterator[str]:
    """Local modules of native resources only, each in use; optional ones stay out until asked for."""
    used = set(home.main.modules.values())
    imported = set(re.findall(r"^import .* from '([^']+)'", home.text("main.bicep"), re.MULTILINE))
    there = {f"modules/{path.name}" for path in (home.folder / "modules").glob("*.bicep")}
    yield from (f"{name} is used by nobody" for name in sorted(there - used - imported))
    yield from (f"{name} is not there" for name in sorted(used - there))
    for path in home.bicep():
        if re.search(r"'(br|ts)[:/]", path.read_text(encoding="utf-8")):
            yield f"{path.name} fetches a module from a registry"
    for environment in ENVIRONMENTS:
        optional = {each.file for each in home.cases[environment]} & {"network.bicep", "budget.bicep"}
        if optional or any(each.symbol == "platform" for each in home.cases[environment]):
            yield f"{environment}: {sorted(optional) or 'platform logs'} without being asked for"
        full = {each.file for each in home.cases[f"{environment}, all options"]}
        yield from (f"{name} is never deployed" for name in sorted(used - {f"modules/{each}" for each in full}))
    yield from _outputs(home)


def _outputs(home: Home) -> Iterator[str]:
    template = home.template("production")
    for name in template.outputs:
        value = template.output(name)
        if not value or (isinstance(value, Symbol) and "ConnectionString" in value):
            yield f"the output {name} is {value!r}"
    said, settings = home.app_settings(), template.output("APP_SETTINGS")
    if not settings.items() <= said.items() or HOST & set(settings):
        yield "APP_SETTINGS must be what the code reads, and nothing of the host's"


def readme(home: Home) -> Iterator[str]:
    """The README's tables are the files': parameters with their defaults, outputs, roles, providers, modules."""
    yield from _compared("parameter", home.table("Parameters"), list(home.main.parameters))
    yield from _compared("output", home.table("Outputs"), list(home.main.outputs))
    granted = Template(home.folder / "modules" / "constants.bicep").value("roles").values()
    yield from _compared("role", home.table("Roles", 1), list(granted))
    rights = home.text("README.md").split("## The deployer's rights")[1].split("\n## ")[0]
    used = {each.type.split("/")[0] for resources in home.cases.values() for each in resources}
    used.add("Microsoft.App")  # the network's delegation, and Flex Consumption itself
    yield from _compared("provider", re.findall(r"`(Microsoft\.\w+)`", rights), list(used))
    every = {str(path.relative_to(home.folder)) for path in home.folder.rglob("*") if path.is_file()}
    files = {name for name in every if not name.startswith("deploy/")} - {"README.md"}
    listed = re.findall(r"`([\w./]+\.(?:bicep|bicepparam|json))`", home.text("README.md").split("\n## ")[0])
    yield from _compared("file", listed, list(files))
    section = home.text("README.md").split("\n## Parameters\n")[1].split("\n## ")[0]
    rows = {row.split("|")[1].strip(" `"): row.split("|")[2].strip(" `") for row in section.splitlines() if "`" in row}
    for name, each in home.main.parameters.items():
        told = rows.get(name)
        if (told == "required") is not (each.default is None):
            yield f"README: whether {name} is required"
        if each.default is not None and each.default.type in ("number", "boolean") and told != text(each.default):
            yield f"README: the default of {name} is {text(each.default)}, not {told}"


def _compared(what: str, told: list[str], there: list[str]) -> Iterator[str]:
    yield from (f"README: the {what} {name} is not there" for name in sorted(set(told) - set(there)))
    yield from (f"README: the {what} {name} is not told" for name in sorted(set(there) - set(told)))
