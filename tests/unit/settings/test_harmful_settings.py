"""Settings that have the right form but would harm a running app: they are refused at start, with an example."""

import ssl
from pathlib import Path

import certifi
import pytest

from emulators.base.certificate_authority import Authority
from shared.foundation.errors import ConfigurationError
from shared.settings.variables import PartnerCenterSettings, Settings
from tests.unit.settings.test_settings import COMPLETE

TIMES = (
    "LEASE_SECONDS", "SETTLE_SECONDS", "DEADLINE_SECONDS", "IRREVERSIBLE_WAIT_SECONDS", "RUN_SECONDS",
    "VAULT_CACHE_SECONDS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def complete_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*TIMES, "CA_BUNDLE", "PARTNER_CENTER_REFERRAL_LINK"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in COMPLETE.items():
        monkeypatch.setenv(variable, value)


def refusal_message(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """Set the variables and return the message of the error."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    return str(caught.value)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", TIMES)
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "86401"])
def test_a_time_is_at_most_a_day(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    message = refusal_message(monkeypatch, **{variable: value})
    assert message.startswith(f"{variable}: Input should be ")
    assert f"(example: {variable}=" in message


@pytest.mark.parametrize("variable", ["LEASE_SECONDS", "DEADLINE_SECONDS", "RUN_SECONDS"])
def test_lease_deadline_and_run_time_must_not_be_zero(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert refusal_message(monkeypatch, **{variable: "0"}).startswith(f"{variable}: Input should be greater than 0")


@pytest.mark.parametrize("variables", [{"LEASE_SECONDS": "120"}, {"LEASE_SECONDS": "30"}, {"DEADLINE_SECONDS": "150"}])
def test_a_lease_of_at_most_two_deadlines_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    assert refusal_message(monkeypatch, **variables) == (
        "LEASE_SECONDS: must be more than twice DEADLINE_SECONDS (example: LEASE_SECONDS=300 with DEADLINE_SECONDS=60)"
    )


def test_a_lease_of_more_than_two_deadlines_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEASE_SECONDS", "121")
    assert Settings.load().sync.lease_seconds == 121


# --- the link of a referral -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "https://partner.example/inbox?id={x}",
        "https://partner.example/inbox",
        "https://partner.example/{id}/{x}",
        "https://partner.example/{id}/{",
        "https://partner.example/{id}}",
        "https://partner.example/{{id}}",
        "https://partner.example/{id!r}",
        "https://partner.example/{id.__class__}",
    ],
)
def test_a_link_that_cannot_hold_the_id_is_refusal_message(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    message = refusal_message(monkeypatch, PARTNER_CENTER_REFERRAL_LINK=link)
    default = PartnerCenterSettings.model_fields["referral_link"].default
    assert message == (
        "PARTNER_CENTER_REFERRAL_LINK: must contain {id}, the place of the referral's id, and no other brace "
        f"(example: PARTNER_CENTER_REFERRAL_LINK={default})"
    )


def test_a_link_may_hold_the_id_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    link = "https://partner.example/{id}/view?again={id}"
    monkeypatch.setenv("PARTNER_CENTER_REFERRAL_LINK", link)
    assert Settings.load().partner_center.referral_link == link


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"no certificate", b"\x30\x82\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_a_bundle_without_a_certificate_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(content)
    assert refusal_message(monkeypatch, CA_BUNDLE=str(bundle)) == (
        "CA_BUNDLE: contains no readable certificate in PEM form (example: CA_BUNDLE=/etc/ssl/acme.pem)"
    )


def test_a_bundle_of_one_or_many_certificates_is_accepted(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    for bundle in (authority.bundle, Path(certifi.where())):
        monkeypatch.setenv("CA_BUNDLE", str(bundle))
        assert Settings.load().vault.ca_bundle == bundle


def test_a_bundle_is_not_loaded_merely_to_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise AssertionError("loading the public roots takes 20 ms of each start")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    monkeypatch.setenv("CA_BUNDLE", certifi.where())
    assert str(Settings.load().vault.ca_bundle) == certifi.where()


@pytest.mark.parametrize("whole", [1, 2])
def test_a_bundle_whose_last_certificate_is_cut_is_refused(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, tmp_path: Path, whole: int
) -> None:
    lines, bundle = authority.bundle.read_text().splitlines(), tmp_path / "bundle.pem"
    cut = [*lines[:5], *lines[7:]]
    bundle.write_text("\n".join(lines * (whole - 1) + cut))
    assert "contains no readable certificate" in refusal_message(monkeypatch, CA_BUNDLE=str(bundle))


@pytest.mark.parametrize(
    ("file", "problem"),
    [("nowhere/store.sqlite", "is in a folder that does not exist"), ("", "is a folder, not a file")],
)
def test_a_store_that_cannot_be_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, problem: str
) -> None:
    message = refusal_message(monkeypatch, STORE_FILE=str(tmp_path / file))
    assert message == f"STORE_FILE: {problem} (example: STORE_FILE=cosell.sqlite)"
