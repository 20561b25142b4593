"""Reads the files of infra/azure and the resources that they deploy, which the checks compare with the code."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic.fields import FieldInfo

from shared.foundation.logs import EVENTS
from shared.settings.settings_group import SettingsGroup
from tests.unit.infra.azure.bicep_reader import Resource, Template
from tests.unit.infra.azure.bicep_values import Value

ROOT = Path(__file__).parents[4]
ENVIRONMENTS = ("staging", "production")

SAMPLE_VARIABLES: Mapping[str, str] = {
    "PARTNER_CENTER_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "PARTNER_CENTER_CLIENT_ID": "22222222-2222-3333-4444-555555555555",
    "PARTNER_CENTER_ORGANIZATION_ID": "33333333-2222-3333-4444-555555555555",
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "3MVG9ACMEACMEACME",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "ALERT_EMAILS": "operator@acme.example,deputy@acme.example",
}
"""Values for the environment variables that a parameter file reads."""

ALL_OPTIONS: Mapping[str, Value] = {
    "workloadName": "workload",
    "privateNetwork": True,
    "allowedAddresses": ["203.0.113.7"],
    "budgetAmount": 50,
    "alwaysReady": 2,
    "platformLogs": True,
    "recoverVault": True,
    "deleteLocks": True,
    "sync": "on",
}
"""All optional parts together, with the longest workload name."""

LOCAL_SETTINGS = frozenset({"STORE_CONNECTION_STRING", "STORE_FILE"})
"""Settings that are never set in Azure: they select another store than Table Storage with the app's identity."""


@dataclass
class AzureFiles:
    """One folder of Bicep files: the real one, or a copy with a fault."""

    folder: Path = ROOT / "infra" / "azure"

    def read_text(self, name: str) -> str:
        """The text of a file."""
        return (self.folder / name).read_text(encoding="utf-8")

    def bicep_files(self) -> list[Path]:
        """Every Bicep file."""
        return sorted(self.folder.rglob("*.bicep"))

    def parameters_of(self, environment: str) -> dict[str, Value]:
        """The parameters that an environment's parameter file sets."""
        return Template(self.folder / f"{environment}.bicepparam", environ=SAMPLE_VARIABLES).variables

    def template_for(self, environment: str, **more: Value) -> Template:
        """`main.bicep` with an environment's parameters."""
        return Template(self.folder / "main.bicep", {**self.parameters_of(environment), **more}, SAMPLE_VARIABLES)

    @cached_property
    def main_template(self) -> Template:
        """`main.bicep` without parameters."""
        return Template(self.folder / "main.bicep")

    @cached_property
    def cases(self) -> Mapping[str, list[Resource]]:
        """The resources of each case: each environment with its parameter file, alone and with all options."""
        return _Cases(self)

    def resources_of_type(self, kind: str, case: str = "production") -> list[Resource]:
        """The resources of a type that a case deploys. `kind` is the type without `Microsoft.`."""
        return [each for each in self.cases[case] if each.type == f"Microsoft.{kind}" and not each.existing]

    def only(self, kind: str, case: str = "production") -> Resource:
        """The one resource of a type that a case deploys."""
        (found,) = self.resources_of_type(kind, case)
        return found

    def function_app(self, case: str = "production") -> Resource:
        """The function app."""
        return self.only("Web/sites", case)

    def module_that_deploys(self, kind: str) -> str:
        """The file of the module that deploys resources of a type."""
        (file,) = {each.file for each in self.resources_of_type(kind)}
        return f"modules/{file}"

    def app_settings(self, case: str = "production") -> dict[str, str]:
        """The settings of the function app."""
        return {each["name"]: each["value"] for each in self.function_app(case).properties["siteConfig"]["appSettings"]}

    def readme_codes(self, heading: str, column: int = 0) -> list[str]:
        """The words in backticks of one column of the README's table under a heading."""
        section = self.read_text("README.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
        return [word for row in rows for word in re.findall(r"`([^`]+)`", row[column])]


class _Cases(Mapping[str, list[Resource]]):
    def __init__(self, files: AzureFiles) -> None:
        self._files = files
        self._resources: dict[str, list[Resource]] = {}

    def __getitem__(self, case: str) -> list[Resource]:
        if case not in self._resources:
            environment, _, more = case.partition(", ")
            self._resources[case] = list(
                self._files.template_for(environment, **(ALL_OPTIONS if more else {})).resources()
            )
        return self._resources[case]

    def __iter__(self) -> Iterator[str]:
        return iter([f"{name}{more}" for more in ("", ", all options") for name in ENVIRONMENTS])

    def __len__(self) -> int:
        return 2 * len(ENVIRONMENTS)


def code_settings() -> dict[str, FieldInfo]:
    """Every setting that the code reads, by variable."""
    fields: dict[str, FieldInfo] = {}
    for group in SettingsGroup.__subclasses__():
        for name, field in group.model_fields.items():
            fields[group.variable_name(name)] = field
    return fields


def trigger_settings() -> set[str]:
    """The settings that the decorators of the functions name as %NAME%."""
    return {name for file in trigger_modules() for name in re.findall(r"%(\w+)%", file.read_text(encoding="utf-8"))}


def trigger_modules() -> Iterator[Path]:
    """The modules of the triggers."""
    return (ROOT / "functions").glob("*.py")


def event_fields(event: str) -> tuple[str, ...] | None:
    """The fields of a log event, or None if no event has this name."""
    return EVENTS[event][1] if event in EVENTS else None
