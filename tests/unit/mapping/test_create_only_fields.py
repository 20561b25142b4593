"""Accounts, contacts and owners are shared: a mapping file cannot ask for them to be changed."""

from pathlib import Path

import pytest

from shared.domain.field_rules import Direction
from shared.foundation.errors import ConfigurationError
from shared.mapping.validation import load_mapping


def write_overlay(folder: Path, *lines: str) -> Path:
    path = folder / "acme.toml"
    path.write_text("\n".join(('extends = "default"', "", *lines)), encoding="utf-8")
    return path


@pytest.mark.parametrize("field", ["account", "contacts", "team"])
def test_a_shared_record_that_is_to_be_changed_stops_the_start(field: str, tmp_path: Path) -> None:
    path = write_overlay(tmp_path, f"[fields.{field}]", 'when = ["create", "update"]')
    with pytest.raises(ConfigurationError, match=rf"acme\.toml, line 4: fields\.{field}\b.*'create'"):
        load_mapping(path)


@pytest.mark.parametrize("direction", ["both", "to_salesforce"])
def test_an_owner_that_is_to_be_written_stops_the_start(direction: str, tmp_path: Path) -> None:
    path = write_overlay(tmp_path, "[fields.team]", f'direction = "{direction}"')
    with pytest.raises(ConfigurationError, match=r"acme\.toml, line 4: fields\.team\b.*direction"):
        load_mapping(path)


def test_shared_records_may_be_left_alone(tmp_path: Path) -> None:
    file, _ = load_mapping(write_overlay(tmp_path, "[fields.contacts]", 'direction = "off"'))
    assert file.fields["contacts"].direction is Direction.OFF
