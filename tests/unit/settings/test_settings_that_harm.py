"""Settings that look right and would harm a running app: refused at the start, named, with an example."""

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
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*TIMES, "CA_BUNDLE", "PARTNER_CENTER_REFERRAL_LINK"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in COMPLETE.items():
        monkeypatch.setenv(variable, value)


def refused(monkeypatch: pytest.MonkeyPatch, **said: str) -> str:
    for variable, value in said.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    return str(caught.value)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", TIMES)
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "86401"])
def test_a_time_is_at_most_a_day(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    said = refused(monkeypatch, **{variable: value})
    assert said.startswith(f"{variable}: Input should be ")
    assert f"(example: {variable}=" in said


@pytest.mark.parametrize("variable", ["LEASE_SECONDS", "DEADLINE_SECONDS", "RUN_SECONDS"])
def test_no_lease_no_deadline_and_no_run_is_of_no_length(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert refused(monkeypatch, **{variable: "0"}).startswith(f"{variable}: Input should be greater than 0")


@pytest.mark.parametrize("said", [{"LEASE_SECONDS": "120"}, {"LEASE_SECONDS": "30"}, {"DEADLINE_SECONDS": "150"}])
def test_a_lease_that_holds_no_two_deadlines_would_never_write(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    assert refused(monkeypatch, **said) == (
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
def test_a_link_that_cannot_hold_the_id_is_refused(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    said = refused(monkeypatch, PARTNER_CENTER_REFERRAL_LINK=link)
    default = PartnerCenterSettings.model_fields["referral_link"].default
    assert said == (
        "PARTNER_CENTER_REFERRAL_LINK: must hold {id}, which stands for the referral's id, and no other brace "
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
    assert refused(monkeypatch, CA_BUNDLE=str(bundle)) == (
        "CA_BUNDLE: holds no certificate that can be read (PEM) (example: CA_BUNDLE=/etc/ssl/acme.pem)"
    )


def test_a_bundle_of_one_certificate_or_of_many_is_taken(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    for bundle in (authority.bundle, Path(certifi.where())):
        monkeypatch.setenv("CA_BUNDLE", str(bundle))
        assert Settings.load().vault.ca_bundle == bundle


@pytest.mark.parametrize(
    ("file", "why"), [("nowhere/store.sqlite", "lies in a folder that is not there"), ("", "is a folder, not a file")]
)
def test_a_store_that_cannot_be_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, why: str
) -> None:
    said = refused(monkeypatch, STORE_FILE=str(tmp_path / file))
    assert said == f"STORE_FILE: {why} (example: STORE_FILE=cosell.sqlite)"
