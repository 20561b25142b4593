"""Azure's own client library understands the answers of the emulator."""

from datetime import UTC, datetime

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from tests.unit.emulators.key_vault.vault_caller import VaultCaller


def test_the_first_request_has_no_body_and_no_token_and_the_second_has_both(
    sdk: SecretClient, caller: VaultCaller
) -> None:
    made = sdk.set_secret("two", "2", content_type="text/plain", tags={"kind": "test"})
    assert (made.value, made.properties.content_type, made.properties.tags) == ("2", "text/plain", {"kind": "test"})
    probe, call = caller.vault.journal
    assert (probe.method, probe.status, probe.received) == ("PUT", 401, 0)
    assert (call.method, call.status, call.tags) == ("PUT", 200, ("set",))
    sdk.get_secret("two")
    assert len(caller.vault.journal) == 3


def test_each_set_adds_a_version_and_old_ones_stay_readable(sdk: SecretClient) -> None:
    first, second = sdk.set_secret("two", "a"), sdk.set_secret("two", "b")
    assert sdk.get_secret("two").value == "b"
    assert sdk.get_secret("two", first.properties.version).value == "a"
    listed = list(sdk.list_properties_of_secret_versions("two"))
    assert [p.version for p in listed] == [first.properties.version, second.properties.version]


def test_a_list_of_several_pages_is_complete(sdk: SecretClient, caller: VaultCaller) -> None:
    for number in range(60):
        caller.vault.secret_store.put(f"s{number:02}", {"value": "x"})
    assert [p.name for p in sdk.list_properties_of_secrets()] == ["one", *(f"s{n:02}" for n in range(60))]
    assert [entry.status for entry in caller.vault.journal] == [401, 200, 200, 200]


def test_a_disabled_version_is_forbidden_and_an_enabled_one_is_read_again(sdk: SecretClient) -> None:
    sdk.update_secret_properties("one", enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        sdk.get_secret("one")
    assert refused.value.status_code == 403
    assert refused.value.error is not None
    assert refused.value.error.innererror == {"code": "SecretDisabled"}
    sdk.update_secret_properties("one", enabled=True, expires_on=datetime(2027, 1, 1, tzinfo=UTC))
    secret = sdk.get_secret("one")
    assert secret.value == "1"
    assert secret.properties.expires_on == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_deleted_secret_blocks_its_name_until_it_is_recovered(sdk: SecretClient) -> None:
    deleted = sdk.begin_delete_secret("one")
    deleted.wait()
    assert str(deleted.result().recovery_id).endswith("/deletedsecrets/one")
    with pytest.raises(ResourceNotFoundError):
        sdk.get_secret("one")
    with pytest.raises(ResourceExistsError) as refused:
        sdk.set_secret("one", "new")
    assert refused.value.status_code == 409
    assert [secret.name for secret in sdk.list_deleted_secrets()] == ["one"]
    sdk.begin_recover_deleted_secret("one").wait()
    assert sdk.get_secret("one").value == "1"


def test_a_purged_name_is_free_again(sdk: SecretClient) -> None:
    sdk.begin_delete_secret("one").wait()
    sdk.purge_deleted_secret("one")
    assert list(sdk.list_deleted_secrets()) == []
    assert sdk.set_secret("one", "again").value == "again"


def test_a_soft_deleted_secret_is_gone_after_ninety_days(sdk: SecretClient, caller: VaultCaller) -> None:
    sdk.begin_delete_secret("one").wait()
    caller.vault.secret_store._now = lambda: datetime(2100, 1, 1, tzinfo=UTC)
    with pytest.raises(ResourceNotFoundError):
        sdk.get_deleted_secret("one")
    assert sdk.set_secret("one", "new").value == "new"


def test_an_underscore_in_a_name_is_a_bad_request(sdk: SecretClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        sdk.get_secret("my_secret")
    assert refused.value.status_code == 400
