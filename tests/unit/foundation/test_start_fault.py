"""A failed start is described by sentences and names of settings, without a secret."""

import pytest

from shared.foundation.errors import ConfigurationError
from shared.foundation.start_fault import describe_start_fault

TOKEN = "c4n4ry" + "S3cr3t" * 6
TEXT = (
    "PUSH_SCHEDULE: is not a schedule (example: PUSH_SCHEDULE=0 * * * * *); SYNC: is wrong (example: SYNC=on)\n"
    "Exactly one of STORE_TABLES_URL, STORE_CONNECTION_STRING and STORE_FILE must be set, not none"
)


def test_each_fault_is_a_sentence_of_its_own_and_the_settings_are_named() -> None:
    fault = describe_start_fault(ConfigurationError(TEXT), {})
    assert fault.sentences == (
        "PUSH_SCHEDULE: is not a schedule (example: PUSH_SCHEDULE=0 * * * * *)",
        "SYNC: is wrong (example: SYNC=on)",
        "Exactly one of STORE_TABLES_URL, STORE_CONNECTION_STRING and STORE_FILE must be set, not none",
    )
    assert fault.error == "ConfigurationError"
    assert fault.names == ("PUSH_SCHEDULE", "STORE_CONNECTION_STRING", "STORE_FILE", "STORE_TABLES_URL", "SYNC")


def test_a_fault_of_the_mapping_file_has_the_name_of_its_setting() -> None:
    fault = describe_start_fault(ConfigurationError("mapping/staging.toml, line 3: fields.name: SYNC: no"), {})
    assert fault.names == ("MAPPING",)


@pytest.mark.parametrize("name", ["STORE_CONNECTION_STRING", "AzureWebJobsStorage", "MY_API_KEY", "A_PASSWORD"])
def test_the_value_of_a_setting_that_may_be_secret_is_redacted(name: str) -> None:
    fault = describe_start_fault(
        ConfigurationError("a.toml, line 1: x: found hunter2-canary"), {name: "hunter2-canary"}
    )
    assert fault.sentences == ("a.toml, line 1: x: found [redacted]",)


def test_anything_like_a_key_is_redacted() -> None:
    assert describe_start_fault(ConfigurationError(f"a.toml: {TOKEN}"), {}).sentences == ("a.toml: [redacted]",)


def test_of_another_error_only_kind_and_place_are_shown() -> None:
    try:
        int(TOKEN)
    except ValueError as error:
        fault = describe_start_fault(error, {})
    assert fault.error == "ValueError"
    assert str(fault).startswith("the app cannot be loaded: ValueError at test_start_fault:")
    assert TOKEN not in str(fault)
