"""The Azure home as the checks see it: its files, what they would deploy, and what the code reads and logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic.fields import FieldInfo

from shared.foundation.logs import EVENTS
from shared.settings import variables as settings
from tests.unit.infra.azure.bicep_reader import Resource, Template
from tests.unit.infra.azure.bicep_values import Value

ROOT = Path(__file__).parents[4]
ENVIRONMENTS = ("staging", "production")

SAMPLE: Mapping[str, str] = {
    "PARTNER_CENTER_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "PARTNER_CENTER_CLIENT_ID": "22222222-2222-3333-4444-555555555555",
    "PARTNER_CENTER_ORGANIZATION_ID": "33333333-2222-3333-4444-555555555555",
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "3MVG9ACMEACMEACME",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "ALERT_EMAILS": "operator@acme.example,deputy@acme.example",
}
"""What an integrator would put into the variables that a parameter file names."""

ALL_OPTIONS: Mapping[str, Value] = {
    "workloadName": "workload",
    "privateNetwork": True,
    "allowedAddresses": ["203.0.113.7"],
    "budgetAmount": 50,
    "alwaysReady": 2,
    "platformLogs": True,
    "recoverVault": True,
    "sync": "on",
}
"""Everything optional at once, with the longest workload name."""

LOCAL_ONLY = frozenset({"STORE_CONNECTION_STRING", "STORE_FILE"})
"""Settings that have no place in Azure: other stores than the one that the identity opens."""

PENDING_SETTINGS: frozenset[str] = frozenset()
"""Settings of functions that are not written yet; test_azure_home.py says loudly which still are not."""

PENDING_EVENTS: Mapping[str, tuple[str, ...]] = {}
"""Events that are not logged yet, with the fields that alerts and workbook read."""


@dataclass
class Home:
    """One folder of Bicep files, the real one or a broken copy."""

    folder: Path = ROOT / "infra" / "azure"
    project: Path = ROOT / "azure.yaml"

    def text(self, name: str) -> str:
        """A file's text."""
        return (self.folder / name).read_text(encoding="utf-8")

    def bicep(self) -> list[Path]:
        """Every Bicep file."""
        return sorted(self.folder.rglob("*.bicep"))

    def parameters(self, environment: str) -> dict[str, Value]:
        """What an environment's parameter file sets."""
        return Template(self.folder / f"{environment}.bicepparam", environ=SAMPLE).variables

    def template(self, environment: str, **more: Value) -> Template:
        """`main.bicep` with an environment's parameters put in."""
        return Template(self.folder / "main.bicep", {**self.parameters(environment), **more}, SAMPLE)

    @cached_property
    def main(self) -> Template:
        """`main.bicep` without parameters."""
        return Template(self.folder / "main.bicep")

    @cached_property
    def cases(self) -> Mapping[str, list[Resource]]:
        """What each environment deploys, as its file says and with everything optional; made when asked for."""
        return _Cases(self)

    def of_type(self, kind: str, case: str = "production") -> list[Resource]:
        """The resources of a type that a case deploys; `kind` may leave out the provider's `Microsoft.`."""
        return [each for each in self.cases[case] if each.type == f"Microsoft.{kind}" and not each.existing]

    def site(self, case: str = "production") -> Resource:
        """The function app."""
        (site,) = self.of_type("Web/sites", case)
        return site

    def app_settings(self, case: str = "production") -> dict[str, str]:
        """The function app's settings."""
        return {each["name"]: each["value"] for each in self.site(case).properties["siteConfig"]["appSettings"]}

    def table(self, heading: str, column: int = 0) -> list[str]:
        """The code words of a column of the README's table under a heading."""
        section = self.text("README.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
        return [word for row in rows for word in re.findall(r"`([^`]+)`", row[column])]


class _Cases(Mapping[str, list[Resource]]):
    def __init__(self, home: Home) -> None:
        self._home = home
        self._made: dict[str, list[Resource]] = {}

    def __getitem__(self, case: str) -> list[Resource]:
        if case not in self._made:
            environment, _, more = case.partition(", ")
            self._made[case] = list(self._home.template(environment, **(ALL_OPTIONS if more else {})).resources())
        return self._made[case]

    def __iter__(self) -> Iterator[str]:
        return iter([f"{name}{more}" for more in ("", ", all options") for name in ENVIRONMENTS])

    def __len__(self) -> int:
        return 2 * len(ENVIRONMENTS)


def code_settings() -> dict[str, FieldInfo]:
    """Every setting that the code's groups read, by variable."""
    found: dict[str, FieldInfo] = {}
    for group in settings.SettingsGroup.__subclasses__():
        for name, field in group.model_fields.items():
            found[group.variable_name(name)] = field
    return found


def trigger_settings() -> set[str]:
    """The settings that stand as %NAME% in the functions' decorators."""
    return {name for file in functions() for name in re.findall(r"%(\w+)%", file.read_text(encoding="utf-8"))}


def functions() -> Iterator[Path]:
    """The modules of the triggers."""
    return (ROOT / "functions").glob("*.py")


def event_fields(event: str) -> tuple[str, ...] | None:
    """The fields of a log event; None: there is none of that name."""
    return EVENTS[event][1] if event in EVENTS else PENDING_EVENTS.get(event)
