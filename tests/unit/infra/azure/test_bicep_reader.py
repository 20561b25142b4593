"""The reader evaluates templates as the Bicep CLI does: `compiled` has the templates of an early version and what
`bicep snapshot` of the CLI 0.49.2 made of them on 2026-11-30.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.azure.bicep_names import Symbol
from tests.unit.infra.azure.bicep_reader import Template
from tests.unit.infra.azure.bicep_snapshot import snapshot_resources
from tests.unit.infra.azure.bicep_values import UnsupportedBicep

COMPILED = Path(__file__).parent / "compiled"

ENVIRON = {
    "PARTNER_CENTER_TENANT_ID": "11111111-1111-1111-1111-111111111111",
    "PARTNER_CENTER_CLIENT_ID": "21111111-1111-1111-1111-111111111111",
    "PARTNER_CENTER_ORGANIZATION_ID": "31111111-1111-1111-1111-111111111111",
    "PARTNER_CENTER_LOCATION": "1234567",
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "abc",
    "SALESFORCE_USERNAME": "a@b.c",
    "ALERT_EMAILS": "ops@acme.example",
}

SNAPSHOTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "staging": ("staging", {}),
    "production": ("production", {}),
    "private": (
        "production",
        {"privateNetwork": True, "budgetAmount": 100, "budgetStart": "2026-12-01", "alwaysReady": 1},
    ),
}
"""The parameter file of each snapshot, and the parameters that it got besides."""


def snapshot_of(name: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((COMPILED / f"{name}.snapshot.json").read_text(encoding="utf-8"))
    return whole


def template_of(name: str) -> Template:
    environment, more = SNAPSHOTS[name]
    templates = COMPILED / "templates"
    parameters = Template(templates / f"{environment}.bicepparam", environ=ENVIRON).variables
    return Template(templates / "main.bicep", {**parameters, **more}, ENVIRON)


def comparable(value: object) -> object:
    """A value without what is null."""
    if isinstance(value, Mapping):
        return {key: comparable(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_reader_gives_the_resources_that_the_compiler_gives(name: str) -> None:
    ours = [comparable(each.predicted()) for each in template_of(name).resources() if not each.existing]
    theirs = [comparable(each.predicted()) for each in snapshot_resources(COMPILED / f"{name}.snapshot.json")]
    assert ours == theirs


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_ids_of_a_snapshot_are_those_that_it_says(name: str) -> None:
    listed = snapshot_of(name)["predictedResources"]
    found = snapshot_resources(COMPILED / f"{name}.snapshot.json")
    assert [each.id for each in found if not isinstance(each.id, Symbol)] == [
        each["id"] for each in listed if not each["id"].startswith("[")
    ]


def test_an_expression_that_no_template_needs_is_refused(tmp_path: Path) -> None:
    resource = {"id": "/a", "type": "A.b/c", "name": "[parameters[0]]", "apiVersion": "1"}
    file = tmp_path / "x.snapshot.json"
    file.write_text(json.dumps({"predictedResources": [resource]}), encoding="utf-8")
    with pytest.raises(UnsupportedBicep, match="parameters in the snapshot's"):
        snapshot_resources(file)
