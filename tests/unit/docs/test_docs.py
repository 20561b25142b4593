"""The docs and the code name the same things. Each test checks both directions (part of `make check`)."""

import logging
import re
from pathlib import Path
from typing import Any, cast

import certifi
import pytest
from pydantic import BaseModel

from local.write_sentences import PAGE, sentences_page
from shared.domain.policy import PAUSED
from shared.domain.remedies import SALESFORCE_REMEDIES
from shared.domain.sentences import CAUSES
from shared.foundation.logs import EVENTS
from shared.mapping import field_base, field_types
from shared.mapping.lead_columns import LeadTable
from shared.mapping.new_records import NewRecord
from shared.mapping.schema import AnyField, MappingFile, Ours, StageTableEntry
from shared.mapping.set_field import SetField
from shared.mapping.validation import load_mapping
from shared.settings import variables as settings
from shared.settings.guards import GuardSettings
from shared.settings.settings_group import SettingsGroup
from shared.store.stored_values import EVENT, OPERATOR, WAITING
from shared.webhook.events import NotUnderstoodReason
from shared.webhook.refusals import Reason
from tests.unit.docs.docs_reader import (
    ROOT,
    cells_by_name,
    code_names,
    matches_in,
    page_text,
    python_sources,
    section_text,
    table_cells,
    without_backticks,
)

GROUPS: dict[str, type[SettingsGroup]] = {
    "What is synced": settings.SyncSettings,
    "Guards": GuardSettings,
    "Partner Center": settings.PartnerCenterSettings,
    "Salesforce": settings.SalesforceSettings,
    "Key Vault": settings.VaultSettings,
    "The store": settings.StoreSettings,
    "Webhook admission": settings.EventSettings,
    "The registration for events": settings.WebhookSettings,
    "The triggers": settings.TriggerSettings,
}


# --- settings ---------------------------------------------------------------------------------------------------------


def variables_of(group: type[SettingsGroup]) -> dict[str, str]:
    """The variables of a group of settings with their defaults, as the page writes them."""
    variables = {}
    for name, field in group.model_fields.items():
        variables[group.variable_name(name)] = "required" if field.is_required() else shown_default(field.default)
    return variables


def shown_default(value: object) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return " ".join(value)
        case int() | float():
            return f"{value:.0f}"
    return str(value)


def test_every_group_of_settings_has_a_table() -> None:
    assert set(GROUPS.values()) == set(SettingsGroup.__subclasses__())


@pytest.mark.parametrize("heading", GROUPS)
def test_the_settings_page_lists_every_setting_with_its_default(heading: str) -> None:
    documented = {name: without_backticks(cells[0]) for name, cells in cells_by_name("settings.md", heading).items()}
    expected = variables_of(GROUPS[heading])
    if heading == "Webhook admission":
        del expected["CA_BUNDLE"]  # documented with the vault
    assert documented == expected


@pytest.mark.parametrize("heading", GROUPS)
def test_every_example_of_a_setting_is_accepted(heading: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, cells in cells_by_name("settings.md", heading).items():
        example = without_backticks(cells[1])
        monkeypatch.setenv(variable, example)
        if example.endswith((".pem", ".toml")):
            Path(example).parent.mkdir(exist_ok=True)
            Path(example).write_bytes(Path(certifi.where()).read_bytes() if example.endswith(".pem") else b"")
    GROUPS[heading].from_environment()


def test_the_settings_page_lists_every_setting_of_a_trigger() -> None:
    assert set(cells_by_name("settings.md", "The triggers")) == set(matches_in("functions", r"%([A-Z_]+)%"))
    storage = set(cells_by_name("settings.md", "Read by the Functions host alone"))
    assert storage == set(matches_in("functions", r'connection="(\w+)"'))


def test_the_settings_page_lists_every_other_variable_that_is_read() -> None:
    documented = set(cells_by_name("settings.md", "Set by the platform")) | set(
        cells_by_name("settings.md", "Of the command line, the local run and the tests")
    )
    folders = ("shared", "emulators", "infra", "local", "tests/unit", "tests/hostile")
    code = "\n".join("\n".join(python_sources(folder).values()) for folder in folders) + page_text("tests/conftest.py")
    assert [name for name in documented if f'"{name}"' not in code] == []
    read = set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code)) - {"PATH", "HOME", "HTTPS_PROXY"}
    known = documented.union(*(variables_of(group) for group in GROUPS.values()))
    assert {name for name in read if not name.startswith("SAMPLE_")} <= known


def test_the_security_page_lists_every_secret() -> None:
    secrets = set(matches_in("shared/clients", r'"(partner-center-[a-z-]+)"  ?#?')) | {"salesforce-private-key"}
    secrets |= set(matches_in("shared/clients", r'= "(partner-center-[a-z-]+)"'))
    assert set(cells_by_name("security.md", "Secrets")) == secrets


# --- mapping ----------------------------------------------------------------------------------------------------------


def mapped_paths(mapped: object) -> set[str]:
    """The paths of one side of a mapped field: one path, or a model with several."""
    if isinstance(mapped, BaseModel):
        return {path for path in mapped.model_dump().values() if path}
    return {str(mapped)}


def test_the_mapping_page_lists_every_mapped_field_with_its_paths() -> None:
    file, _ = load_mapping()
    documented = cells_by_name("mapping.md", "The fields of the default file")
    assert list(documented) == list(file.fields)
    for name, field in file.fields.items():
        cells = documented[name]
        assert without_backticks(cells[0]) == field.type
        assert set(code_names(cells[1])) == mapped_paths(field.referral)
        assert set(code_names(cells[2])) == mapped_paths(field.salesforce)
        assert ("always" in cells[3]) == ("update" in field.when), name
        direction_words = {"to_partner_center": "to Partner Center", "to_salesforce": "to Salesforce"}
        assert direction_words.get(field.direction, "both ways") in cells[3]
        if "update" in field.when and not isinstance(field, field_types.NotesField):
            assert ("member by member" if isinstance(field, SetField) else f"`{field.winner}` wins") in cells[4]
        rule, is_status = field.to_rule(name), isinstance(field, field_types.StatusField)
        assert (cells[4] == "none") == (not rule.on_update), name
        assert cells[5].startswith("moves" if is_status else "open" if rule.on_update else "created"), name
        assert ("fixed" in cells[5]) == (rule.on_update and bool(rule.unlisted)), name
        assert ("unshared" in cells[5]) == rule.is_locked_by_sharing, name


@pytest.mark.parametrize(
    ("heading", "model", "more"),
    [
        ("Keys of the file", MappingFile, {"extends", "remove"}),
        ("`[ours]`", Ours, set()),
        ("`[[stages]]`", StageTableEntry, set()),
        ("New records", NewRecord, set()),
        ("Leads", LeadTable, set()),
        ("Keys of every field", field_base.FieldBase, {"type", "referral", "salesforce"}),
    ],
)
def test_the_mapping_page_lists_every_key(heading: str, model: type[BaseModel], more: set[str]) -> None:
    assert set(cells_by_name("mapping.md", heading)) == set(model.model_fields) | more


def test_the_mapping_page_names_the_connectors_own_fields() -> None:
    documented = {key: without_backticks(cells[0]) for key, cells in cells_by_name("mapping.md", "`[ours]`").items()}
    assert documented == load_mapping()[0].ours.model_dump()


def keys_of_part(model: type[BaseModel], key: str) -> set[str]:
    shape = model.model_fields[key].annotation
    return set(shape.model_fields) if isinstance(shape, type) and issubclass(shape, BaseModel) else set()


def test_the_mapping_page_lists_every_field_type_with_its_keys() -> None:
    documented = cells_by_name("mapping.md", "Types")
    field_types_of_the_file = cast("Any", AnyField).__origin__.__args__
    by_type = {kind.model_fields["type"].annotation.__args__[0]: kind for kind in field_types_of_the_file}
    assert set(documented) == set(by_type)
    common_keys = set(field_base.FieldBase.model_fields) | {"type", "referral", "salesforce"}
    for name, kind in by_type.items():
        cells = documented[name]
        further_keys = {key for key, field in kind.model_fields.items() if key not in common_keys and not field.exclude}
        assert further_keys <= set(code_names(cells[1])), name
        assert further_keys or cells[1] == "none", name
        for cell, key in ((cells[2], "referral"), (cells[3], "salesforce")):
            assert keys_of_part(kind, key) <= set(code_names(cell)), name
            assert keys_of_part(kind, key) or cell in ("one path", "one column", "`OpportunityContactRoles`"), name


# --- errors -----------------------------------------------------------------------------------------------------------


def error_classes() -> set[str]:
    """The names of CosellError and all classes that derive from it, in any module."""
    pairs = [
        (name, {base.strip() for base in bases.split(",")})
        for code in python_sources("shared").values()
        for name, bases in re.findall(r"^class (\w+)\(([\w, .]+)\):", code, re.MULTILINE)
    ]
    known = {"CosellError"}
    while grown := {name for name, bases in pairs if bases & known} - known:
        known |= grown
    return known


def test_the_errors_page_lists_every_error_in_its_tree_and_its_table() -> None:
    tree = re.findall(r"^[│├└─ ]*(\w+)$", section_text("errors.md", "The tree of errors"), re.MULTILINE)
    assert set(tree) == error_classes()
    assert list(cells_by_name("errors.md", "The tree of errors")) == tree


def test_the_errors_page_names_every_cause() -> None:
    assert set(code_names(section_text("errors.md", "Causes"))) == set(CAUSES)


def test_the_page_of_sentences_is_the_one_that_the_code_writes() -> None:
    """`python -m local.write_sentences` writes it."""
    assert PAGE.read_text(encoding="utf-8") == sentences_page()


def test_the_errors_page_quotes_every_remedy_for_a_salesforce_error() -> None:
    documented = {code: cells[0] for code, cells in cells_by_name("errors.md", "Causes from a service").items()}
    assert documented == SALESFORCE_REMEDIES


def test_the_errors_page_lists_every_sign_in_code_of_the_product() -> None:
    own_codes = table_cells(section_text("errors.md", "Sign-in codes").partition("Entra ID's")[0])
    assert {without_backticks(line[0]) for line in own_codes} == set(matches_in("shared/clients", r'\bcode="(\w+)"'))


def test_the_errors_page_lists_every_entra_error_number() -> None:
    code = (ROOT / "shared/clients/partner_center/entra_errors.py").read_text(encoding="utf-8")
    numbers = set(re.findall(r'^ +"(\d{5,})": \(', code, re.MULTILINE))
    assert set(re.findall(r"AADSTS(\d+)", section_text("errors.md", "Sign-in codes"))) == numbers


# --- events -----------------------------------------------------------------------------------------------------------

EVENT_TABLES = ("Webhook admission", "Start", "Runs", "Pairs", "Calls to a side", "Sides and sign-in")


def test_the_events_page_lists_every_log_event_with_level_and_fields() -> None:
    documented = {
        event: (logging.getLevelNamesMapping()[cells[0]], tuple(code_names(cells[1])))
        for heading in EVENT_TABLES
        for event, cells in cells_by_name("events.md", heading).items()
    }
    assert documented == dict(EVENTS)


def test_every_log_event_is_used() -> None:
    sources = {**python_sources("shared"), **python_sources("functions")}
    code = "\n".join(code for path, code in sources.items() if path.name != "logs.py")
    assert [event for event in EVENTS if f'"{event}"' not in code] == []


def test_the_events_page_explains_every_field() -> None:
    assert set(cells_by_name("events.md", "Fields")) == {field for _, fields in EVENTS.values() for field in fields}


def test_the_events_page_lists_every_reason_for_ignoring_a_referral() -> None:
    scope = (ROOT / "shared/domain/scope.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'return "(\w+)"', scope)) | set(
        matches_in("shared/sync", r'ignore_referral\([^")]*"(\w+)"\)')
    )
    assert set(cells_by_name("events.md", "Reasons of `referral_ignored`")) == reasons


def test_the_events_page_lists_every_reason_for_not_hearing_a_record() -> None:
    reasons = set(matches_in("shared/sync", r'_leave\([^")]*"(\w+)"\)'))
    assert set(cells_by_name("events.md", "Reasons of `related_referral_ignored`")) == reasons


def test_the_events_page_lists_every_cause_of_waiting() -> None:
    pattern = r'Result\.RETRY,\s+"(\w+)"'
    causes = {*matches_in("shared/sync", pattern), *matches_in("shared/operations", pattern)}
    assert set(cells_by_name("events.md", "Causes of `pair_due`")) == causes | {EVENT, OPERATOR, PAUSED, WAITING}


def test_the_event_signature_page_lists_every_reason_of_a_refusal() -> None:
    assert set(cells_by_name("event-signature.md", "Reasons of a refusal")) == set(Reason)
    documented = cells_by_name("event-signature.md", "Reasons why an event is not understood")
    assert set(documented) == set(NotUnderstoodReason)
