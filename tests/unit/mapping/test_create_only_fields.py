"""Accounts are shared with other deals, and owners are chosen by people. A file that would change them is refused."""

from pathlib import Path

import pytest

from shared.domain.field_rules import Direction
from shared.foundation.errors import ConfigurationError
from shared.mapping.validation import load_mapping


def write_overlay(folder: Path, *lines: str) -> Path:
    path = folder / "acme.toml"
    path.write_text("\n".join(('extends = "default"', "", *lines)), encoding="utf-8")
    return path


@pytest.mark.parametrize("field", ["account", "size"])
def test_a_file_that_would_change_a_shared_record_is_refused(field: str, tmp_path: Path) -> None:
    path = write_overlay(tmp_path, f"[fields.{field}]", 'when = ["create", "update"]')
    sentence = rf'acme\.toml, line 4: fields\.{field}\.when\.1: expected create; found "update"\.'
    with pytest.raises(ConfigurationError, match=sentence):
        load_mapping(path)


def test_a_file_without_our_team_in_partner_center_is_refused(tmp_path: Path) -> None:
    path = write_overlay(tmp_path, "[fields.team]", 'direction = "to_salesforce"')
    sentence = r"acme\.toml, line 4: fields\.team\.direction: expected one of to_partner_center, both, off; "
    with pytest.raises(ConfigurationError, match=sentence):
        load_mapping(path)


def test_fields_of_shared_records_may_be_switched_off(tmp_path: Path) -> None:
    file, _ = load_mapping(write_overlay(tmp_path, "[fields.contacts]", 'direction = "off"'))
    assert file.fields["contacts"].direction is Direction.OFF
