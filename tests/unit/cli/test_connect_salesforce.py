"""`cosell connect salesforce`: the first key, a second run, a wrong certificate, and a rotation."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from local.systems import CONSUMER_KEY, USERNAME, Systems
from shared.app import App
from shared.cli.connect_salesforce import KeyOptions, run_connect_salesforce
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.self_signed_certificate import create_certificate
from shared.clients.salesforce.private_keys import private_keys_in
from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError, ConsentNeeded, SignInFailed
from shared.store.stored_values import RetryEntry, SideState
from shared.sync.runs import run_push

SECRET = "salesforce-private-key"


class Administrator:
    """Runs the command and follows its steps. `sentences` holds what the last run printed for people."""

    def __init__(self, systems: Systems, folder: Path) -> None:
        self.systems, self.folder = systems, folder
        self.sentences = ""

    def run(
        self, capsys: pytest.CaptureFixture[str], *, rotate: bool = False, verify: bool = False
    ) -> dict[str, object]:
        """Run the command and return its JSON document."""
        options = KeyOptions(rotate, verify)
        code = run_connect_salesforce(Environment("staging"), Output(as_json=True), options, self.folder)
        assert code is Exit.OK
        stdout, self.sentences = capsys.readouterr()
        document: dict[str, object] = json.loads(stdout)
        return document

    @property
    def file(self) -> Path:
        """The certificate file that the command writes."""
        return self.folder / "salesforce-staging.crt"

    def upload_certificate(self) -> None:
        self.systems.salesforce.register_connected_app(CONSUMER_KEY, self.file.read_text(encoding="ascii"), USERNAME)

    @property
    def keys_in_vault(self) -> tuple[str, ...]:
        """The private keys in Key Vault, newest first."""
        stored = next(secret for secret in self.systems.vault.secret_store.live_secrets() if secret.name == SECRET)
        return private_keys_in(stored.latest.value)

    def sign_in_as_the_app(self) -> str:
        """Sign in as the deployed app does, and return the organisation's id."""
        app = App()
        try:
            return app.salesforce.organization_id()
        finally:
            app.close()


@pytest.fixture
def administrator(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Administrator:
    monkeypatch.setattr("shared.cli.self_signed_certificate.KEY_BITS", 2048)  # a longer key takes seconds
    for name, value in all_systems.environ.items():
        monkeypatch.setenv(name, value)
    all_systems.vault.secret_store.put(SECRET, {"value": "placeholder"})
    return Administrator(all_systems, tmp_path)


@pytest.fixture
def connected(administrator: Administrator, capsys: pytest.CaptureFixture[str]) -> Administrator:
    """An administrator whose installation is connected already."""
    administrator.run(capsys)
    administrator.upload_certificate()
    administrator.run(capsys, verify=True)
    return administrator


def test_the_first_run_creates_a_key_and_prints_every_step(
    administrator: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    document = administrator.run(capsys)
    assert (document["made"], document["proven"], document["next"]) == (
        True, False, "cosell connect salesforce --env staging --verify",
    )  # fmt: skip
    for word in ("External Client App", "JWT Bearer", "Salesforce Integration", "Cosell_Integration", USERNAME):
        assert word in administrator.sentences
    certificate = load_pem_x509_certificate(administrator.file.read_bytes())
    private_key = load_pem_private_key(administrator.keys_in_vault[0].encode(), None)
    assert certificate.public_key() == private_key.public_key()


def test_no_private_key_is_printed_or_written_to_a_file(
    administrator: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    document = administrator.run(capsys)
    files = [path.read_text() for path in administrator.folder.iterdir()]
    for text in (json.dumps(document), administrator.sentences, *files):
        assert "PRIVATE KEY" not in text


def test_a_second_run_creates_no_second_key(administrator: Administrator, capsys: pytest.CaptureFixture[str]) -> None:
    administrator.run(capsys)
    first_keys = administrator.keys_in_vault
    administrator.file.unlink()
    assert administrator.run(capsys)["made"] is False
    assert administrator.keys_in_vault == first_keys
    assert administrator.file.exists()


def test_the_sign_in_works_after_the_certificate_is_uploaded(
    administrator: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    administrator.run(capsys)
    administrator.upload_certificate()
    document = administrator.run(capsys, verify=True)
    organization = administrator.systems.salesforce.organization
    assert (document["proven"], document["organization"]) == (True, organization)
    assert administrator.sign_in_as_the_app() == organization


def test_a_certificate_that_does_not_match_is_reported_with_the_file_to_upload(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.systems.vault.secret_store.put(SECRET, {"value": "placeholder"})
    connected.run(capsys)
    with pytest.raises(SignInFailed) as caught:
        connected.run(capsys, verify=True)
    assert "does not seem to hold the certificate" in str(caught.value)
    assert str(connected.file) in caught.value.remedy
    connected.upload_certificate()
    assert connected.run(capsys, verify=True)["proven"] is True


def test_a_user_who_is_not_pre_authorised_is_reported_with_another_remedy(
    connected: Administrator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_USERNAME", "nobody@contoso.example")
    with pytest.raises(ConsentNeeded) as caught:
        connected.run(capsys, verify=True)
    assert "Pre-authorise" in caught.value.remedy


def test_verify_needs_a_key_first(administrator: Administrator, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match="run `cosell connect salesforce` first"):
        administrator.run(capsys, verify=True)


def test_the_sync_can_sign_in_at_every_step_of_a_rotation(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    [old_key] = connected.keys_in_vault
    assert connected.run(capsys, rotate=True)["rotating"] is True
    assert "stays in Key Vault" in connected.sentences
    assert (len(connected.keys_in_vault), connected.keys_in_vault[1]) == (2, old_key)
    assert connected.sign_in_as_the_app(), "before the new certificate is uploaded"
    connected.upload_certificate()
    assert connected.sign_in_as_the_app(), "after the upload"
    assert connected.run(capsys, verify=True)["rotated"] is True
    assert len(connected.keys_in_vault) == 1
    assert connected.keys_in_vault != (old_key,)
    assert connected.sign_in_as_the_app(), "after the old key is removed"


def test_a_rotation_without_an_upload_removes_nothing(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.run(capsys, rotate=True)
    both_keys = connected.keys_in_vault
    with pytest.raises(SignInFailed):
        connected.run(capsys, verify=True)
    assert connected.keys_in_vault == both_keys
    assert connected.run(capsys, rotate=True)["made"] is False
    assert connected.keys_in_vault == both_keys


def test_a_key_that_was_stored_by_hand_is_kept_and_tested(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    [key] = connected.keys_in_vault
    connected.systems.vault.secret_store.put(SECRET, {"value": key})
    document = connected.run(capsys)
    assert (document["made"], document["file"]) == (False, None)
    assert "without its certificate" in connected.sentences
    assert connected.run(capsys, verify=True)["proven"] is True


def test_the_vault_holds_the_end_date_of_the_certificate(
    administrator: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    administrator.run(capsys)
    app = App()
    ends = app.vault.read_facts(SECRET).expires
    app.close()
    assert ends == load_pem_x509_certificate(administrator.file.read_bytes()).not_valid_after_utc


def test_during_a_rotation_the_vault_keeps_the_end_date_of_the_certificate_in_use(
    administrator: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    in_use = create_certificate("cosell-staging", 10)
    administrator.systems.vault.secret_store.put(SECRET, {"value": in_use.pem})
    administrator.run(capsys, rotate=True)
    app = App()
    assert app.vault.read_facts(SECRET).expires == in_use.ends
    app.close()


def test_a_sign_in_that_works_ends_the_pause_and_the_sync_goes_on(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App()
    app.store.write_side_state(Side.SALESFORCE, SideState(datetime.now(UTC) + timedelta(minutes=10), "sign_in"))
    assert run_push(app.local).seen == 0
    assert connected.run(capsys, verify=True)["pause_ended"] is True
    assert "The pause has ended" in connected.sentences
    assert app.store.side_state(Side.SALESFORCE, fresh=True).paused_until is None
    assert connected.run(capsys, verify=True)["pause_ended"] is False
    app.close()


def test_the_pairs_that_waited_for_the_sign_in_are_due_at_once(
    connected: Administrator, capsys: pytest.CaptureFixture[str]
) -> None:
    app, later = App(), datetime.now(UTC) + timedelta(minutes=10)
    app.store.write_side_state(Side.SALESFORCE, SideState(later, "sign_in"))
    for side, key, cause in (
        (Side.SALESFORCE, "006000000000001AAA", "sign_in"),
        (Side.PARTNER_CENTER, "a-referral", "side_paused"),
        (Side.PARTNER_CENTER, "held", "held"),
    ):
        app.store.put_retry_entry(RetryEntry(side, key, later, cause, 3, since=later))
    connected.run(capsys, verify=True)
    now = datetime.now(UTC)
    due = {entry.key for side in Side for entry in app.store.retry_entries(side, now, 10)}
    assert due == {"006000000000001AAA", "a-referral"}
    assert [entry.attempts for side in Side for entry in app.store.retry_entries(side, later, 10)] == [3, 3, 3]
    app.close()
