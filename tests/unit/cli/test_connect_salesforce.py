"""Connecting Salesforce: first time, again, with a certificate that does not match, and a rotation with overlap."""

import json
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
from shared.clients.salesforce.private_keys import keys_of
from shared.foundation.errors import ConfigurationError, ConsentNeeded, SignInFailed

SECRET = "salesforce-private-key"


class Office:
    """An administrator with the command at hand: what it said, and what the vault then holds."""

    def __init__(self, systems: Systems, folder: Path) -> None:
        self.systems, self.folder = systems, folder
        self.said = ""

    def run(
        self, capsys: pytest.CaptureFixture[str], *, rotate: bool = False, verify: bool = False
    ) -> dict[str, object]:
        code = run_connect_salesforce(
            Environment("staging"), Output(as_json=True), KeyOptions(rotate, verify), self.folder
        )
        assert code is Exit.OK
        out, self.said = capsys.readouterr()
        document: dict[str, object] = json.loads(out)
        return document

    @property
    def file(self) -> Path:
        return self.folder / "salesforce-staging.crt"

    def uploads(self) -> None:
        self.systems.salesforce.register_app(CONSUMER_KEY, self.file.read_text(encoding="ascii"), USERNAME)

    @property
    def keys(self) -> tuple[str, ...]:
        kept = next(secret for secret in self.systems.vault.shelf.live() if secret.name == SECRET)
        return keys_of(kept.latest.value)

    def app_signs_in(self) -> str:
        app = App()
        try:
            return app.salesforce.organization_id()
        finally:
            app.close()


@pytest.fixture
def office(all_systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr("shared.cli.self_signed_certificate.KEY_BITS", 2048)  # a longer one takes seconds
    for name, value in all_systems.environ.items():
        monkeypatch.setenv(name, value)
    all_systems.vault.shelf.put(SECRET, {"value": "placeholder"})
    return Office(all_systems, tmp_path)


@pytest.fixture
def connected(office: Office, capsys: pytest.CaptureFixture[str]) -> Office:
    office.run(capsys)
    office.uploads()
    office.run(capsys, verify=True)
    return office


def test_the_first_time_a_key_is_made_and_every_click_is_named(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    told = office.run(capsys)
    assert (told["made"], told["proven"], told["next"]) == (
        True, False, "cosell connect salesforce --env staging --verify",
    )  # fmt: skip
    for word in ("External Client App", "JWT Bearer", "Salesforce Integration", "Cosell_Integration", USERNAME):
        assert word in office.said
    certificate = load_pem_x509_certificate(office.file.read_bytes())
    private = load_pem_private_key(office.keys[0].encode(), None)
    assert certificate.public_key() == private.public_key()


def test_no_private_key_is_said_or_written_to_a_file(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    told = office.run(capsys)
    for text in (json.dumps(told), office.said, *(path.read_text() for path in office.folder.iterdir())):
        assert "PRIVATE KEY" not in text


def test_a_second_run_makes_no_second_key(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.run(capsys)
    first = office.keys
    office.file.unlink()
    assert office.run(capsys)["made"] is False
    assert office.keys == first
    assert office.file.exists()


def test_once_the_certificate_is_uploaded_the_sign_in_is_proven(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.run(capsys)
    office.uploads()
    told = office.run(capsys, verify=True)
    assert (told["proven"], told["organization"]) == (True, office.systems.salesforce.organization)
    assert office.app_signs_in() == office.systems.salesforce.organization


def test_a_certificate_that_does_not_match_is_a_sentence_that_names_the_file(
    connected: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.systems.vault.shelf.put(SECRET, {"value": "placeholder"})
    connected.run(capsys)
    with pytest.raises(SignInFailed) as caught:
        connected.run(capsys, verify=True)
    assert "does not seem to hold the certificate" in str(caught.value)
    assert str(connected.file) in caught.value.remedy
    connected.uploads()
    assert connected.run(capsys, verify=True)["proven"] is True


def test_a_user_who_is_not_pre_authorised_is_told_apart(
    connected: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_USERNAME", "nobody@contoso.example")
    with pytest.raises(ConsentNeeded) as caught:
        connected.run(capsys, verify=True)
    assert "Pre-authorise" in caught.value.remedy


def test_there_is_nothing_to_verify_before_a_key_is_made(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match="without --verify first"):
        office.run(capsys, verify=True)


def test_a_rotation_lets_the_sync_go_on_at_every_step(connected: Office, capsys: pytest.CaptureFixture[str]) -> None:
    [old] = connected.keys
    assert connected.run(capsys, rotate=True)["rotating"] is True
    assert "stays in the vault" in connected.said
    assert (len(connected.keys), connected.keys[1]) == (2, old)
    assert connected.app_signs_in(), "before the certificate is swapped"
    connected.uploads()
    assert connected.app_signs_in(), "after it"
    assert connected.run(capsys, verify=True)["rotated"] is True
    assert len(connected.keys) == 1
    assert connected.keys != (old,)
    assert connected.app_signs_in(), "when the old key is gone"


def test_a_rotation_that_is_not_uploaded_yet_removes_nothing(
    connected: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.run(capsys, rotate=True)
    waiting = connected.keys
    with pytest.raises(SignInFailed):
        connected.run(capsys, verify=True)
    assert connected.keys == waiting
    assert connected.run(capsys, rotate=True)["made"] is False
    assert connected.keys == waiting


def test_a_key_that_was_put_there_by_hand_is_kept_and_proven(
    connected: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    [key] = connected.keys
    connected.systems.vault.shelf.put(SECRET, {"value": key})
    told = connected.run(capsys)
    assert (told["made"], told["file"]) == (False, None)
    assert "without its certificate" in connected.said
    assert connected.run(capsys, verify=True)["proven"] is True


def test_the_vault_notes_when_the_certificate_ends(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.run(capsys)
    app = App()
    ends = app.vault.facts(SECRET).expires
    app.close()
    assert ends == load_pem_x509_certificate(office.file.read_bytes()).not_valid_after_utc
