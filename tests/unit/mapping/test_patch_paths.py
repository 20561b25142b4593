"""The paths that Microsoft's list lets change, and those of which nobody knows."""

from emulators.partner_center.json_patch import PATHS
from shared.domain.deal import Side
from shared.mapping.patch_paths import PATCHABLE, unlisted
from shared.mapping.validation import load_mapping


def test_the_list_is_the_one_that_the_emulator_takes() -> None:
    assert {f"/{path}" for path in PATHS} == PATCHABLE


def test_only_fields_that_a_change_of_the_list_lacks_are_tried() -> None:
    assert unlisted(("/name", "/details/notes")) == {"/name"}
    rules = [field.to_rule(name) for name, field in load_mapping()[0].fields.items()]
    sent = [rule for rule in rules if rule.on_update and rule.direction.owns(Side.SALESFORCE)]
    assert {"name"} <= {rule.field for rule in sent if rule.unlisted}
    assert {"money", "closing", "notes", "status"}.isdisjoint(rule.field for rule in sent if rule.unlisted)
