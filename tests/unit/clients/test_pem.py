"""A PEM text on one line is read like one with line breaks."""

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from shared.cli.self_signed_certificate import create_certificate
from shared.clients.key_vault.credential_ends import certificate_ends
from shared.clients.pem import certificates_of_keys, with_line_breaks

FORMS = {
    "line breaks": lambda pem: pem,
    "Windows": lambda pem: pem.replace("\n", "\r\n"),
    "a backslash and an n": lambda pem: pem.replace("\n", "\\n"),
    "blanks": lambda pem: pem.replace("\n", " "),
    "nothing": lambda pem: pem.replace("\n", ""),
}


@pytest.fixture(autouse=True)
def _short_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.self_signed_certificate.KEY_BITS", 2048)


@pytest.mark.parametrize("form", FORMS)
def test_key_and_certificate_are_read_in_every_form(form: str) -> None:
    made = create_certificate("cosell-test", 100)
    text = FORMS[form](made.pem)

    assert certificate_ends(text) == [made.ends]
    whole = with_line_breaks(text).encode()
    assert load_pem_private_key(whole, None).key_size == 2048  # type: ignore[union-attr]  # an RSA key
    assert load_pem_x509_certificate(next(certificates_of_keys(text)).encode()).not_valid_after_utc == made.ends


def test_each_key_has_its_certificate_and_a_chain_is_left_out() -> None:
    first, second, root = (create_certificate("cosell-test", days) for days in (365, 10, 1))
    assert certificate_ends(first.pem + root.public_pem + second.pem) == [first.ends, second.ends]
    assert certificate_ends(first.public_pem + first.pem.split("-----BEGIN CERT")[0]) == [first.ends]


def test_a_text_without_a_certificate_has_no_end() -> None:
    assert certificate_ends("a-client-secret") == []


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN CERTIFICATE-----\nAAAA\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ids=["cut", "no certificate"],
)
def test_a_certificate_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        certificate_ends(text)
