"""The certificate host serves a valid chain, renews its leaf, and has a rogue leaf for tests."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from emulators.base.server import Request, Response
from emulators.partner_center.certificate_host import DISPATCHER, INTERMEDIATE_PATH, CertificateHost


@pytest.fixture
def host(certificates: CertificateHost) -> CertificateHost:
    certificates.reset_state()
    certificates.set_public_urls("https://localhost:4443", "http://localhost:4480")
    return certificates


def fetch(host: CertificateHost, path: str) -> Response:
    return host.handle(Request.of("GET", path, {}))


def test_each_certificate_is_signed_by_the_next_up_to_the_root(host: CertificateHost) -> None:
    leaf = x509.load_der_x509_certificate(fetch(host, f"/cert/{DISPATCHER}.cer").body)
    intermediate = x509.load_der_x509_certificate(fetch(host, INTERMEDIATE_PATH).body)
    root = x509.load_pem_x509_certificate(host.root_pem.encode())

    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert intermediate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is True
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_the_leaf_names_the_dispatcher_and_microsoft_as_its_issuer(host: CertificateHost) -> None:
    leaf = host.dispatcher_leaf.certificate
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value

    assert names.get_values_for_type(x509.DNSName) == [DISPATCHER]
    assert leaf.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Microsoft Corporation"
    assert access[0].access_method == AuthorityInformationAccessOID.CA_ISSUERS
    assert access[0].access_location.value == f"http://localhost:4480{INTERMEDIATE_PATH}"
    assert host.dispatcher_leaf.key.key_size == 2048


def test_the_files_are_der_or_pem(host: CertificateHost) -> None:
    request = Request.of("POST", "/_control/encoding", {}, b'{"encoding": "pem"}')
    assert host.handle(request).status == 200
    assert fetch(host, f"/cert/{DISPATCHER}.cer").body.startswith(b"-----BEGIN CERTIFICATE-----")
    assert host.handle(Request.of("POST", "/_control/encoding", {}, b'{"encoding": "p7b"}')).status == 400


def test_a_renewed_leaf_has_the_same_address(host: CertificateHost) -> None:
    old_leaf, url = fetch(host, f"/cert/{DISPATCHER}.cer").body, host.leaf_url
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    host.renew_leaf(since=start, until=start + dt.timedelta(days=1))

    new_leaf = fetch(host, f"/cert/{DISPATCHER}.cer").body
    assert (host.leaf_url, new_leaf != old_leaf) == (url, True)
    assert x509.load_der_x509_certificate(new_leaf).not_valid_after_utc.year == 2020


def test_the_rogue_leaf_has_the_same_names_from_another_authority(host: CertificateHost) -> None:
    rogue = x509.load_der_x509_certificate(fetch(host, "/cert/rogue.cer").body)

    assert rogue.issuer == host.dispatcher_leaf.certificate.issuer
    with pytest.raises(InvalidSignature):
        rogue.verify_directly_issued_by(host.intermediate.certificate)


def test_another_file_is_a_404_and_only_fetched_files_are_tagged(host: CertificateHost) -> None:
    host.journal.clear()
    assert fetch(host, "/cert/other.cer").status == 404
    fetch(host, f"/cert/{DISPATCHER}.cer")
    assert [entry.tags for entry in host.journal] == [(), ("certificate",)]
    assert host.handle(Request.of("GET", "/_control/root", {})).json()["pem"] == host.root_pem
