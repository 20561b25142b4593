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
    """A value without what is null, and with one mark for whatever only Azure can evaluate."""
    if isinstance(value, Mapping):
        return {comparable(key): comparable(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    is_expression = isinstance(value, str) and value.startswith("[") and not value.startswith("[[")
    return "(Azure)" if isinstance(value, Symbol) or is_expression else value


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_reader_gives_the_resources_that_the_compiler_gives(name: str) -> None:
    predicted = [each.predicted() for each in template_of(name).resources() if not each.existing]
    expected = snapshot_of(name)["predictedResources"]
    assert [(each["type"], comparable(each["name"])) for each in predicted] == [
        (each["type"], comparable(each["name"])) for each in expected
    ]
    for ours, theirs in zip(predicted, expected, strict=True):
        theirs.pop("condition", None)
        assert comparable(ours) == comparable(theirs)
