"""Which requests are admitted, which are refused, and with which status."""

import base64
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives import hashes

from shared.foundation.errors import ConfigurationError
from shared.settings.surely_right import event_values
from shared.settings.variables import EventSettings
from shared.webhook.admission import EventAdmission, admit, event_admission, event_in_message
from shared.webhook.refusals import Reason, Refusal, Verified
from shared.webhook.signature import DOCUMENTED_ISSUERS, open_verifier
from tests.unit.webhook.conftest import BODY, FakeCertificateHost, ManualClock, signed_headers
from tests.unit.webhook.throwaway_chain import CERTIFICATE_URL, CertificateSpec, Chain, issue, rsa_key

MakeAdmission = Callable[..., EventAdmission]


def with_header(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [(key, value if key.lower() == name else old) for key, old in headers]


def without_header(headers: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in headers if key.lower() != name]


def refusal_reason(answer: Verified | Refusal) -> Reason:
    assert isinstance(answer, Refusal)
    assert answer.status == {Reason.BODY_TOO_LARGE: 413, Reason.CONTENT_TYPE: 415}.get(answer.reason, 401)
    return answer.reason


def test_a_signed_event_is_admitted_and_names_only_its_certificates_hash(
    admission: EventAdmission, chain: Chain
) -> None:
    answer = admission.check(signed_headers(chain.leaf, BODY), BODY)
    certificate = chain.leaf.certificate.fingerprint(hashes.SHA256()).hex()
    assert answer == Verified(certificate, repeated=False)


def test_the_signature_may_be_in_the_authorization_header(admission: EventAdmission, chain: Chain) -> None:
    headers = [("Authorization" if k == "x-ms-signature" else k, v) for k, v in signed_headers(chain.leaf, BODY)]
    assert isinstance(admission.check(headers, BODY), Verified)


def test_x_ms_signature_wins_over_an_authorization_of_any_kind(admission: EventAdmission, chain: Chain) -> None:
    headers = [("Authorization", "Bearer a.b.c"), *signed_headers(chain.leaf, BODY), ("Authorization", "Basic eA==")]
    assert isinstance(admission.check(headers, BODY), Verified)


def test_a_bad_x_ms_signature_is_refused_despite_a_good_authorization(admission: EventAdmission, chain: Chain) -> None:
    good = signed_headers(chain.leaf, BODY)
    headers = [("Authorization", good[1][1]), *with_header(good, "x-ms-signature", "")]
    assert refusal_reason(admission.check(headers, BODY)) is Reason.SIGNATURE_MALFORMED


@pytest.mark.parametrize("form", ["{}", "signature {}", "SIGNATURE\t{}", "  Signature   {}  "])
def test_the_word_signature_is_optional(form: str, admission: EventAdmission, chain: Chain) -> None:
    bare = base64.b64encode(chain.leaf.sign(BODY)).decode()
    headers = with_header(signed_headers(chain.leaf, BODY), "x-ms-signature", form.format(bare))
    assert isinstance(admission.check(headers, BODY), Verified)


def test_header_names_are_read_without_regard_to_case(admission: EventAdmission, chain: Chain) -> None:
    headers = [(name.upper(), value) for name, value in signed_headers(chain.leaf, BODY)]
    assert isinstance(admission.check(headers, BODY), Verified)


def test_a_body_over_the_limit_is_413_before_anything_is_read(
    make_admission: MakeAdmission, host: FakeCertificateHost
) -> None:
    def unread_headers() -> Iterator[tuple[str, str]]:
        raise AssertionError
        yield ("", "")

    assert refusal_reason(make_admission(max_body=10).check(unread_headers(), b"x" * 11)) is Reason.BODY_TOO_LARGE
    assert host.asked == []


def test_a_body_at_the_limit_is_admitted(make_admission: MakeAdmission, chain: Chain) -> None:
    assert isinstance(make_admission(max_body=len(BODY)).check(signed_headers(chain.leaf, BODY), BODY), Verified)


@pytest.mark.parametrize("kind", ["text/plain", "", "application/jsonp", "application/json, text/plain", "multipart/x"])
def test_another_content_type_is_415(
    kind: str, admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    headers = with_header(signed_headers(chain.leaf, BODY), "content-type", kind)
    assert refusal_reason(admission.check(headers, BODY)) is Reason.CONTENT_TYPE
    assert host.asked == []


def test_no_content_type_or_two_of_them_is_415(admission: EventAdmission, chain: Chain) -> None:
    headers = signed_headers(chain.leaf, BODY)
    assert refusal_reason(admission.check(without_header(headers, "content-type"), BODY)) is Reason.CONTENT_TYPE
    assert refusal_reason(admission.check([headers[0], *headers], BODY)) is Reason.CONTENT_TYPE


def test_a_charset_parameter_is_allowed(admission: EventAdmission, chain: Chain) -> None:
    headers = with_header(signed_headers(chain.leaf, BODY), "content-type", "Application/JSON; charset=utf-8")
    assert isinstance(admission.check(headers, BODY), Verified)


@pytest.mark.parametrize("name", ["x-ms-signature", "x-ms-certificate-url", "x-ms-signature-algorithm"])
def test_each_header_is_required_exactly_once(
    name: str, admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    headers = signed_headers(chain.leaf, BODY)
    twice = [*headers, *(pair for pair in headers if pair[0].lower() == name)]
    assert refusal_reason(admission.check(without_header(headers, name), BODY)) is Reason.HEADER_MISSING
    assert refusal_reason(admission.check(twice, BODY)) is Reason.HEADER_REPEATED
    assert host.asked == []


@pytest.mark.parametrize("name", ["rsa-sha1", "rsa-md5", "rsa-sha512", "none", "", "hs256", "rsa-sha256,rsa-md5"])
def test_the_algorithm_is_not_negotiated(
    name: str, admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    headers = with_header(signed_headers(chain.leaf, BODY), "x-ms-signature-algorithm", name)
    assert refusal_reason(admission.check(headers, BODY)) is Reason.ALGORITHM
    assert host.asked == []


@pytest.mark.parametrize("text", ["", "Signature", "Bearer abcdefgh", "é" * 20, "!" * 344, "A" * 3000, "AAAA\n" * 80])
def test_a_malformed_signature_costs_no_download(
    text: str, admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    headers = with_header(signed_headers(chain.leaf, BODY), "x-ms-signature", text)
    assert refusal_reason(admission.check(headers, BODY)) is Reason.SIGNATURE_MALFORMED
    assert host.asked == []


def test_base64_of_a_wrong_length_is_malformed(admission: EventAdmission, chain: Chain) -> None:
    headers = with_header(signed_headers(chain.leaf, BODY), "x-ms-signature", "A" * 341)
    assert refusal_reason(admission.check(headers, BODY)) is Reason.SIGNATURE_MALFORMED


def test_one_changed_byte_of_the_body_is_refused(admission: EventAdmission, chain: Chain) -> None:
    headers = signed_headers(chain.leaf, BODY)
    assert refusal_reason(admission.check(headers, BODY.replace(b"updated", b"created"))) is Reason.SIGNATURE_WRONG
    assert refusal_reason(admission.check(headers, BODY + b" ")) is Reason.SIGNATURE_WRONG


def test_the_signature_covers_the_raw_bytes_whatever_they_contain(admission: EventAdmission, chain: Chain) -> None:
    for body in (b"", b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b"[" * 60_000):
        assert isinstance(admission.check(signed_headers(chain.leaf, body), body), Verified)


def test_another_key_another_digest_and_another_padding_are_refused(admission: EventAdmission, chain: Chain) -> None:
    foreign = issue(CertificateSpec(key=rsa_key("foreign")), chain.intermediate)
    sha1 = base64.b64encode(chain.leaf.sign(BODY, hashes.SHA1())).decode()  # noqa: S303 - the attack under test
    sha512 = base64.b64encode(chain.leaf.sign(BODY, hashes.SHA512())).decode()
    headers = signed_headers(chain.leaf, BODY)
    assert refusal_reason(admission.check(signed_headers(foreign, BODY), BODY)) is Reason.SIGNATURE_WRONG
    assert refusal_reason(admission.check(with_header(headers, "x-ms-signature", sha1), BODY)) is Reason.SIGNATURE_WRONG
    assert (
        refusal_reason(admission.check(with_header(headers, "x-ms-signature", sha512), BODY)) is Reason.SIGNATURE_WRONG
    )


def test_a_second_delivery_is_admitted_and_marked_as_repeated(admission: EventAdmission, chain: Chain) -> None:
    headers = signed_headers(chain.leaf, BODY)
    answers = [admission.check(headers, BODY), admission.check(headers, BODY)]
    assert [isinstance(answer, Verified) and answer.repeated for answer in answers] == [False, True]


def test_the_memory_of_bodies_is_bounded(
    admission: EventAdmission, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.webhook.signature.REMEMBERED_BODIES", 3)
    for number in range(5):
        body = str(number).encode()
        assert isinstance(admission.check(signed_headers(chain.leaf, body), body), Verified)
    assert len(admission.verifier._seen) == 3


def test_a_forged_event_is_not_remembered(admission: EventAdmission, chain: Chain) -> None:
    admission.check(signed_headers(chain.leaf, b"other"), BODY)
    answer = admission.check(signed_headers(chain.leaf, BODY), BODY)
    assert isinstance(answer, Verified)
    assert not answer.repeated


def test_the_settings_are_read_once_for_all_events_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[object]()

    def counted() -> object:
        reads.append(values := event_values())
        return values

    monkeypatch.setattr("shared.webhook.admission.event_values", counted)
    monkeypatch.setattr(EventAdmission, "check", lambda *_: Verified("", repeated=False))
    event_admission.cache_clear()
    for _ in range(3):
        message = admit([], BODY).message
        assert message is not None
        assert event_in_message(message.encode()) is not None
    event_admission.cache_clear()
    assert len(reads) == 1


def test_an_error_in_our_own_code_refuses_the_event(make_admission: MakeAdmission, chain: Chain) -> None:
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError

    answer = make_admission(fetch=fail).check(signed_headers(chain.leaf, BODY), BODY)
    assert answer == Refusal(401, Reason.DEFECT, "ZeroDivisionError")


@pytest.mark.parametrize(
    "address",
    [
        "http://www.microsoft.com/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt",
        "http://caissuers.microsoft.com/pkiops/certs/Microsoft%20TLS%20RSA%20Root%20G2%20-%20xsign.crt",
        "http://cacerts.digicert.com/DigiCertGlobalG2TLSRSASHA2562020CA1-1.crt",
        "http://cacerts.geotrust.com/GeoTrustGlobalTLSRSA4096SHA2562022CA1.crt",
        "http://cacerts.digicert.cn/DigiCertBasicOVG2TLSCNRSA4096SHA2562022CA1.crt",
    ],
)
def test_as_shipped_a_file_with_the_leaf_alone_is_enough(
    make_admission: MakeAdmission, chain: Chain, host: FakeCertificateHost, address: str
) -> None:
    leaf = issue(CertificateSpec(issuer_url=address), chain.intermediate)
    host.files = {CERTIFICATE_URL: leaf.der, address: chain.intermediate.der}

    assert isinstance(make_admission().check(signed_headers(leaf, BODY), BODY), Verified)
    assert host.asked == [CERTIFICATE_URL, address]


def test_the_setting_allows_the_documented_issuers() -> None:
    assert EventSettings().issuer_origins == DOCUMENTED_ISSUERS


def test_offline_nothing_is_fetched(make_admission: MakeAdmission, chain: Chain, host: FakeCertificateHost) -> None:
    renewed = issue(CertificateSpec(key=rsa_key("renewed")), chain.intermediate)
    admission = make_admission(certificates_pem=chain.leaf.pem + renewed.pem, intermediates_pem=chain.intermediate.pem)
    for signer in (chain.leaf, renewed):
        assert isinstance(admission.check(signed_headers(signer, BODY), BODY), Verified)
    assert refusal_reason(admission.check(signed_headers(chain.leaf, b"other"), BODY)) is Reason.SIGNATURE_WRONG
    assert host.asked == []


def test_offline_a_certificate_that_expired_is_refused(
    make_admission: MakeAdmission, chain: Chain, clock: ManualClock
) -> None:
    admission = make_admission(certificates_pem=chain.leaf.pem, intermediates_pem=chain.intermediate.pem)
    clock.advance(days=400)
    assert refusal_reason(admission.check(signed_headers(chain.leaf, BODY), BODY)) is Reason.CERTIFICATE_NOT_VALID_NOW


def test_without_the_extra_root_the_throw_away_chain_is_refused(make_admission: MakeAdmission, chain: Chain) -> None:
    admission = make_admission(extra_roots_pem="")
    assert refusal_reason(admission.check(signed_headers(chain.leaf, BODY), BODY)) is Reason.CERTIFICATE_CHAIN


def test_the_dispatchers_name_is_a_setting(
    make_admission: MakeAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    other = issue(CertificateSpec(name="d.example.test", alternative_names=("D.example.TEST",)), chain.intermediate)
    host.files[CERTIFICATE_URL] = other.der
    admission = make_admission(dispatcher_name="d.Example.test", intermediates_pem=chain.intermediate.pem)
    assert isinstance(admission.check(signed_headers(other, BODY), BODY), Verified)
    assert refusal_reason(make_admission().check(signed_headers(other, BODY), BODY)) is Reason.CERTIFICATE_NAME


@pytest.mark.parametrize("setting", ["extra_roots_pem", "intermediates_pem", "certificates_pem"])
def test_an_unreadable_pem_setting_stops_the_start(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="contains no readable certificate"):
        open_verifier(**{setting: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"})  # type: ignore[arg-type]  # one of the PEM settings


@pytest.mark.parametrize("name", ["*.microsoft.com", "", "a b", "https://x", "127.0.0.1"])
def test_a_dispatchers_name_that_is_not_a_host_name_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match="EVENT_DISPATCHER"):
        open_verifier(dispatcher_name=name)


def test_an_empty_allow_list_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="Example"):
        open_verifier(origins=())
