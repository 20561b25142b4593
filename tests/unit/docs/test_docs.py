"""The docs and the code say the same: what one names, the other has, and the reverse (part of `make check`)."""

import logging
import re
from pathlib import Path
from typing import Any, cast

import certifi
import pytest
from pydantic import BaseModel

from shared.clients.salesforce import error_codes
from shared.domain.sentences import CAUSES, SENTENCES
from shared.foundation.logs import EVENTS
from shared.mapping import field_base, field_types
from shared.mapping.schema import AnyField, MappingFile, Ours, StageTableEntry
from shared.mapping.validation import load_mapping
from shared.settings import variables as settings
from shared.webhook.events import NotUnderstoodReason
from shared.webhook.refusals import Reason
from tests.unit.docs.docs_reader import (
    ROOT,
    bare,
    found_in,
    names,
    rows,
    section,
    sources,
    table,
    text,
)

GROUPS: dict[str, type[settings.SettingsGroup]] = {
    "What is synced": settings.SyncSettings,
    "Partner Center": settings.PartnerCenterSettings,
    "Salesforce": settings.SalesforceSettings,
    "Key Vault": settings.VaultSettings,
    "The store": settings.StoreSettings,
    "Webhook admission": settings.EventSettings,
    "The registration for events": settings.WebhookSettings,
    "The triggers": settings.TriggerSettings,
}


# --- settings ---------------------------------------------------------------------------------------------------------


def variables(group: type[settings.SettingsGroup]) -> dict[str, str]:
    """Variables of a group with their defaults, as the page writes them."""
    found = {}
    for name, field in group.model_fields.items():
        found[group.variable_name(name)] = "required" if field.is_required() else shown_default(field.default)
    return found


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


def test_every_group_of_settings_has_its_table() -> None:
    assert set(GROUPS.values()) == set(settings.SettingsGroup.__subclasses__())


@pytest.mark.parametrize("heading", GROUPS)
def test_every_setting_stands_there_with_its_default_and_the_reverse(heading: str) -> None:
    told = {name: bare(cells[0]) for name, cells in table("settings.md", heading).items()}
    expected = variables(GROUPS[heading])
    if heading == "Webhook admission":
        del expected["CA_BUNDLE"]  # told with the vault
    assert told == expected


@pytest.mark.parametrize("heading", GROUPS)
def test_every_example_is_accepted(heading: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, cells in table("settings.md", heading).items():
        example = bare(cells[1])
        monkeypatch.setenv(variable, example)
        if example.endswith((".pem", ".toml")):
            Path(example).parent.mkdir(exist_ok=True)
            Path(example).write_bytes(Path(certifi.where()).read_bytes() if example.endswith(".pem") else b"")
    GROUPS[heading].from_environment()


def test_the_event_door_page_tells_the_same_settings() -> None:
    told = {name: bare(cells[0]) for name, cells in table("event-signature.md", "Settings").items()}
    expected = variables(settings.EventSettings)
    del expected["CA_BUNDLE"]
    assert told == expected


def test_every_setting_of_a_trigger_stands_there_and_the_reverse() -> None:
    assert set(table("settings.md", "The triggers")) == set(found_in("functions", r"%([A-Z_]+)%"))
    storage = set(table("settings.md", "Read by the Functions host alone"))
    assert storage == set(found_in("functions", r'connection="(\w+)"'))


def test_every_other_variable_that_is_read_stands_there_and_the_reverse() -> None:
    told = set(table("settings.md", "Set by the platform")) | set(
        table("settings.md", "Of the local run and the tests")
    )
    folders = ("shared", "emulators", "infra", "local", "tests/unit", "tests/hostile")
    code = "\n".join("\n".join(sources(folder).values()) for folder in folders) + text("tests/conftest.py")
    assert [name for name in told if f'"{name}"' not in code] == []
    read = set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code)) - {"PATH", "HOME"}
    known = told.union(*(variables(group) for group in GROUPS.values()))
    assert {name for name in read if not name.startswith("SAMPLE_")} <= known


def test_every_secret_stands_there_and_the_reverse() -> None:
    named = set(found_in("shared/clients", r'"(partner-center-[a-z-]+)"  ?#?')) | {"salesforce-private-key"}
    named |= set(found_in("shared/clients", r'= "(partner-center-[a-z-]+)"'))
    assert set(table("settings.md", "Secrets")) == named


# --- mapping ----------------------------------------------------------------------------------------------------------


def paths(said: object) -> set[str]:
    if isinstance(said, BaseModel):
        return {path for path in said.model_dump().values() if path}
    return {str(said)}


def test_every_mapped_field_stands_there_with_its_paths_and_the_reverse() -> None:
    file, _ = load_mapping()
    told = table("mapping.md", "The fields of the default file")
    assert list(told) == list(file.fields)
    for name, field in file.fields.items():
        cells = told[name]
        assert bare(cells[0]) == field.type
        assert set(names(cells[1])) == paths(field.referral)
        assert set(names(cells[2])) == paths(field.salesforce)
        assert ("always" in cells[3]) == ("update" in field.when), name
        way = {"to_partner_center": "to Partner Center", "to_salesforce": "to Salesforce"}
        assert way.get(field.direction, "both ways") in cells[3]
        if "update" in field.when and not isinstance(field, field_types.NotesField):
            assert f"`{field.winner}` wins" in cells[4]


@pytest.mark.parametrize(
    ("heading", "model", "more"),
    [
        ("Keys of the file", MappingFile, {"extends"}),
        ("`[ours]`", Ours, set()),
        ("`[[stages]]`", StageTableEntry, set()),
        ("Keys of every field", field_base.FieldBase, {"type", "referral", "salesforce"}),
    ],
)
def test_every_key_stands_there_and_the_reverse(heading: str, model: type[BaseModel], more: set[str]) -> None:
    assert set(table("mapping.md", heading)) == set(model.model_fields) | more


def test_our_own_fields_have_the_names_of_the_default_file() -> None:
    told = {key: bare(cells[0]) for key, cells in table("mapping.md", "`[ours]`").items()}
    assert told == load_mapping()[0].ours.model_dump()


def parts(model: type[BaseModel], key: str) -> set[str]:
    shape = model.model_fields[key].annotation
    return set(shape.model_fields) if isinstance(shape, type) and issubclass(shape, BaseModel) else set()


def test_every_type_of_field_stands_there_with_its_keys_and_the_reverse() -> None:
    told = table("mapping.md", "Types")
    kinds = cast("Any", AnyField).__origin__.__args__
    by_type = {kind.model_fields["type"].annotation.__args__[0]: kind for kind in kinds}
    assert set(told) == set(by_type)
    fixed = set(field_base.FieldBase.model_fields) | {"type", "referral", "salesforce"}
    for name, kind in by_type.items():
        cells = told[name]
        further = {key for key, field in kind.model_fields.items() if key not in fixed and not field.exclude}
        assert further <= set(names(cells[1])), name
        assert further or cells[1] == "none", name
        for cell, key in ((cells[2], "referral"), (cells[3], "salesforce")):
            assert parts(kind, key) <= set(names(cell)), name
            assert parts(kind, key) or cell in ("one path", "one column", "`OpportunityContactRoles`"), name


# --- errors -----------------------------------------------------------------------------------------------------------


def error_classes() -> set[str]:
    """All classes of the tree, wherever they are."""
    pairs = [
        (name, {base.strip() for base in bases.split(",")})
        for code in sources("shared").values()
        for name, bases in re.findall(r"^class (\w+)\(([\w, .]+)\):", code, re.MULTILINE)
    ]
    known = {"CosellError"}
    while grown := {name for name, bases in pairs if bases & known} - known:
        known |= grown
    return known


def test_every_error_stands_in_the_tree_and_in_the_table_and_the_reverse() -> None:
    tree = re.findall(r"^[│├└─ ]*(\w+)$", section("errors.md", "The tree of errors"), re.MULTILINE)
    assert set(tree) == error_classes()
    assert list(table("errors.md", "The tree of errors")) == tree


def test_every_cause_stands_there_word_for_word_and_the_reverse() -> None:
    told = {code: (cells[0], cells[1]) for code, cells in table("errors.md", "Causes").items()}
    assert told == CAUSES


def test_every_sentence_stands_there_word_for_word_and_the_reverse() -> None:
    assert {code: cells[0] for code, cells in table("errors.md", "Sentences").items()} == SENTENCES


def test_every_remedy_for_salesforce_stands_there_and_the_reverse() -> None:
    told = {code: cells[0] for code, cells in table("errors.md", "Causes from the far side").items()}
    assert told == error_codes._REMEDIES


def test_every_sign_in_code_of_ours_stands_there_and_the_reverse() -> None:
    ours = rows(section("errors.md", "Sign-in codes").partition("Entra ID's")[0])
    assert {bare(row[0]) for row in ours} == set(found_in("shared/clients", r'\bcode="(\w+)"'))


def test_every_number_of_entra_stands_there_and_the_reverse() -> None:
    code = (ROOT / "shared/clients/partner_center/entra_errors.py").read_text(encoding="utf-8")
    coded = set(re.findall(r'^ +"(\d{5,})": \(', code, re.MULTILINE))
    assert set(re.findall(r"AADSTS(\d+)", section("errors.md", "Sign-in codes"))) == coded


# --- events -----------------------------------------------------------------------------------------------------------

EVENT_TABLES = ("Webhook admission", "Runs", "Pairs", "Sides and sign-in")


def test_every_log_event_stands_there_with_level_and_fields_and_the_reverse() -> None:
    told = {
        event: (logging.getLevelNamesMapping()[cells[0]], tuple(names(cells[1])))
        for heading in EVENT_TABLES
        for event, cells in table("events.md", heading).items()
    }
    assert told == dict(EVENTS)


def test_every_log_event_is_written_somewhere() -> None:
    code = "\n".join(code for path, code in sources("shared").items() if path.name != "logs.py")
    assert [event for event in EVENTS if f'"{event}"' not in code] == []


def test_every_field_of_an_event_is_explained_and_the_reverse() -> None:
    assert set(table("events.md", "Fields")) == {field for _, fields in EVENTS.values() for field in fields}


def test_every_reason_for_ignoring_a_referral_stands_there_and_the_reverse() -> None:
    scope = (ROOT / "shared/domain/scope.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'return "(\w+)"', scope)) | set(found_in("shared/sync", r'_ignore\([^")]*"(\w+)"\)'))
    assert set(table("events.md", "Reasons of `referral_ignored`")) == reasons


def test_every_cause_of_waiting_stands_there_and_the_reverse() -> None:
    causes = set(found_in("shared/sync", r'Result\.RETRY,\s+"(\w+)"'))
    assert set(table("events.md", "Causes of `pair_due`")) == causes


def test_every_reason_of_the_event_door_stands_there_and_the_reverse() -> None:
    assert set(table("event-signature.md", "Reasons of a refusal")) == set(Reason)
    told = table("event-signature.md", "Reasons why an event is not understood")
    assert set(told) == set(NotUnderstoodReason)
