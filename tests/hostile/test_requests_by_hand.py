"""Requests that an attacker would try, each with the answer that it must get."""

import base64
import gzip
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.foundation.errors import Unavailable
from shared.webhook.admission import EventAdmission
from shared.webhook.certificate_origins import Target
from shared.webhook.events import NotUnderstood, NotUnderstoodReason, parse_event
from shared.webhook.refusals import Reason, Refusal, Verified
from shared.webhook.signature import open_verifier
from tests.hostile.request_changes import PATH, self_signed_identity
from tests.hostile.request_drafts import ALGORITHM, BODY, ID, RESOURCE, SIGNATURE, URL, RequestDraft, in_base64
from tests.unit.webhook.throwaway_chain import (
    CERTIFICATE_URL,
    HOST,
    INTERMEDIATE_URL,
    NOW,
    CertificateSpec,
    authority_spec,
    good_chain,
    issue,
    rsa_key,
)


class AttackedHost:
    """Serves the genuine files, and under other names files that an attacker could have placed there."""

    def __init__(self) -> None:
        chain, unknown_root = good_chain(), issue(authority_spec("Unknown Root"))
        at = f"https://{HOST}/cert/"
        other_name = CertificateSpec(
            name="portal.microsoft.com", alternative_names=("portal.microsoft.com",), key=rsa_key("foreign")
        )
        confined = issue(authority_spec("Throw-away Issuing CA 01", key=rsa_key("foreign")), unknown_root)
        self.asked: list[str] = []
        self.files = {
            CERTIFICATE_URL: chain.leaf.der,
            INTERMEDIATE_URL: chain.intermediate.der,
            f"{at}self-signed.cer": self_signed_identity().der,
            f"{at}other-root.cer": issue(CertificateSpec(key=rsa_key("foreign")), confined).der,
            f"{at}other-name.cer": issue(other_name, chain.intermediate).der,
            f"{at}below-leaf.cer": (
                issue(CertificateSpec(key=rsa_key("foreign")), chain.leaf).pem + chain.leaf.pem
            ).encode(),
            f"{at}html.cer": b"<html>404</html>",
            f"{at}empty.cer": b"",
        }

    def __call__(self, target: Target, _seconds: float) -> bytes:
        self.asked.append(str(target))
        if str(target) not in self.files:
            raise Unavailable("404")
        return self.files[str(target)]


@pytest.fixture
def host() -> AttackedHost:
    return AttackedHost()


@pytest.fixture
def admission(host: AttackedHost) -> EventAdmission:
    return EventAdmission(open_verifier(extra_roots_pem=good_chain().root.pem, clock=lambda: NOW, fetch=host))


type Change = Callable[[RequestDraft], None]


def set_header(name: str, value: str) -> Change:
    return lambda draft: draft.set_header(name, value)


def set_url(text: str) -> Change:
    return set_header(URL, text)


def sign_as_attacker(file: str) -> Change:
    """The attacker signs with their own key and names a certificate with that key."""

    def change(draft: RequestDraft) -> None:
        draft.headers = RequestDraft.signed(draft.body, self_signed_identity()).headers
        draft.set_header(URL, f"https://{HOST}/cert/{file}.cer")

    return change


def set_signature(make: Callable[[bytes], str]) -> Change:
    return lambda draft: draft.set_header(SIGNATURE, make(draft.body))


def true_signature(body: bytes) -> bytes:
    return good_chain().leaf.sign(body)


def pss_signature(body: bytes) -> str:
    key = good_chain().leaf.key
    assert isinstance(key, rsa.RSAPrivateKey)
    return in_base64(key.sign(body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))


def set_body(new: bytes) -> Change:
    def change(draft: RequestDraft) -> None:
        draft.body = new

    return change


def repeat_header(name: str, *, value: str | None = None, first: bool = False) -> Change:
    def change(draft: RequestDraft) -> None:
        pair = (name.title(), draft.header_value(name) if value is None else value)
        draft.headers.insert(0 if first else len(draft.headers), pair)

    return change


def drop_headers(*names: str) -> Change:
    def change(draft: RequestDraft) -> None:
        for name in names:
            draft.drop_header(name)

    return change


def use_bearer_token(draft: RequestDraft) -> None:
    draft.rename_header(SIGNATURE, "Authorization")
    draft.set_header("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")


def drop_everything(draft: RequestDraft) -> None:
    draft.headers, draft.body = [], b""


def use_underscores(draft: RequestDraft) -> None:
    draft.headers = [(name.replace("-", "_"), value) for name, value in draft.headers if name != "Content-Type"]
    draft.headers.append(("Content-Type", "application/json"))


REFUSED: dict[str, tuple[Change, Reason]] = {
    "nothing at all": (drop_everything, Reason.CONTENT_TYPE),
    "no signature": (drop_headers(SIGNATURE), Reason.HEADER_MISSING),
    "no certificate address": (drop_headers(URL), Reason.HEADER_MISSING),
    "no algorithm": (drop_headers(ALGORITHM), Reason.HEADER_MISSING),
    "only a body": (drop_headers(SIGNATURE, URL, ALGORITHM), Reason.HEADER_MISSING),
    "underscores for hyphens": (use_underscores, Reason.HEADER_MISSING),
    "a bearer token instead": (use_bearer_token, Reason.SIGNATURE_MALFORMED),
    "the same signature twice": (repeat_header(SIGNATURE), Reason.HEADER_REPEATED),
    "a second address before": (
        repeat_header(URL, value="https://evil.test/cert/a.cer", first=True),
        Reason.HEADER_REPEATED,
    ),
    "a second address after": (repeat_header(URL, value="https://evil.test/cert/a.cer"), Reason.HEADER_REPEATED),
    "a second algorithm": (repeat_header(ALGORITHM, value="none"), Reason.HEADER_REPEATED),
    "two content types": (repeat_header("Content-Type", value="text/plain"), Reason.CONTENT_TYPE),
    "addresses folded into one": (set_url(f"{CERTIFICATE_URL}, https://evil.test/a.cer"), Reason.URL_MALFORMED),
    "another account": (set_url(f"https://anyone.blob.core.windows.net{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "plain http": (set_url(f"http://{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a longer host": (set_url(f"https://{HOST}.evil.test{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a host that ends alike": (set_url(f"https://x{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a subdomain": (set_url(f"https://x.{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a trailing dot": (set_url(f"https://{HOST}.{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a user before the host": (set_url(f"https://{HOST}@evil.test{PATH}"), Reason.URL_MALFORMED),
    "the host as user": (set_url(f"https://evil.test@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "a backslash before the at": (set_url(f"https://evil.test\\@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "a fragment before the at": (set_url(f"https://evil.test#@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "the default port": (set_url(f"https://{HOST}:443{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "another port": (set_url(f"https://{HOST}:8080{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "an empty port": (set_url(f"https://{HOST}:{PATH}"), Reason.URL_MALFORMED),
    "the metadata service": (
        set_url("http://169.254.169.254/metadata/identity/oauth2/token"),
        Reason.ORIGIN_NOT_ALLOWED,
    ),
    "the platform's address": (set_url(f"https://168.63.129.16{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback": (set_url(f"https://127.0.0.1{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback as a number": (set_url(f"https://2130706433{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback of IPv6": (set_url(f"https://[::1]{PATH}"), Reason.URL_MALFORMED),
    "localhost": (set_url(f"https://localhost{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a file": (set_url("file:///etc/passwd"), Reason.URL_MALFORMED),
    "data in the address": (set_url("data:application/pkix-cert;base64,AAAA"), Reason.URL_MALFORMED),
    "a cyrillic letter": (set_url(f"https://{HOST.replace('o', chr(0x43E), 1)}{PATH}"), Reason.URL_MALFORMED),
    "an ideographic full stop": (set_url(f"https://{HOST.replace('.', chr(0x3002), 1)}{PATH}"), Reason.URL_MALFORMED),
    "a line break and a header": (set_url(f"{CERTIFICATE_URL}\r\nHost: evil.test"), Reason.URL_MALFORMED),
    "a zero byte": (set_url(f"{CERTIFICATE_URL}\x00"), Reason.URL_MALFORMED),
    "a query": (set_url(f"{CERTIFICATE_URL}?sv=1&sig=x"), Reason.URL_MALFORMED),
    "a fragment": (set_url(f"{CERTIFICATE_URL}#x"), Reason.URL_MALFORMED),
    "a way up": (set_url(f"https://{HOST}/cert/../evil/a.cer"), Reason.PATH_NOT_ALLOWED),
    "an encoded way up": (set_url(f"https://{HOST}/cert/%2e%2e%2fevil.cer"), Reason.PATH_NOT_ALLOWED),
    "another folder": (set_url(f"https://{HOST}/evil/a.cer"), Reason.PATH_NOT_ALLOWED),
    "another ending": (set_url(f"https://{HOST}/cert/a.exe"), Reason.PATH_NOT_ALLOWED),
    "an address without end": (set_url(f"https://{HOST}/cert/" + "a" * 100_000 + ".cer"), Reason.URL_MALFORMED),
    "an empty address": (set_url(""), Reason.URL_MALFORMED),
    "a file that is not there": (set_url(f"https://{HOST}/cert/none.cer"), Reason.CERTIFICATE_UNAVAILABLE),
    "a page for a certificate": (sign_as_attacker("html"), Reason.CERTIFICATE_UNREADABLE),
    "an empty certificate": (sign_as_attacker("empty"), Reason.CERTIFICATE_UNREADABLE),
    "a self-signed certificate": (sign_as_attacker("self-signed"), Reason.CERTIFICATE_CHAIN),
    "a chain of one's own": (sign_as_attacker("other-root"), Reason.CERTIFICATE_CHAIN),
    "a good certificate of another name": (sign_as_attacker("other-name"), Reason.CERTIFICATE_NAME),
    "issued by the dispatcher's own leaf": (sign_as_attacker("below-leaf"), Reason.CERTIFICATE_CHAIN),
    "one's own key under the true address": (
        sign_as_attacker("pcnotifications-dispatch.microsoft.com"),
        Reason.SIGNATURE_WRONG,
    ),
    "algorithm none": (set_header(ALGORITHM, "none"), Reason.ALGORITHM),
    "algorithm sha1": (set_header(ALGORITHM, "rsa-sha1"), Reason.ALGORITHM),
    "algorithm md5": (set_header(ALGORITHM, "rsa-md5"), Reason.ALGORITHM),
    "algorithm of a shared secret": (set_header(ALGORITHM, "hmac-sha256"), Reason.ALGORITHM),
    "an empty signature": (set_header(SIGNATURE, ""), Reason.SIGNATURE_MALFORMED),
    "the word alone": (set_header(SIGNATURE, "Signature "), Reason.SIGNATURE_MALFORMED),
    "no base64": (set_header(SIGNATURE, "Signature ####"), Reason.SIGNATURE_MALFORMED),
    "base64 of the other alphabet": (set_header(SIGNATURE, "Signature " + "-_" * 172), Reason.SIGNATURE_MALFORMED),
    "broken padding": (set_signature(lambda raw: in_base64(true_signature(raw))[:-2]), Reason.SIGNATURE_MALFORMED),
    "letters beyond ASCII": (set_header(SIGNATURE, "Signature \u00e9\u00e8" * 50), Reason.SIGNATURE_MALFORMED),
    "two signatures in one": (
        set_signature(lambda raw: f"{in_base64(true_signature(raw))},{in_base64(true_signature(raw))}"),
        Reason.SIGNATURE_MALFORMED,
    ),
    "a signature without end": (set_header(SIGNATURE, "A" * 1_000_000), Reason.SIGNATURE_MALFORMED),
    "a signature of zeros": (set_header(SIGNATURE, in_base64(b"\x00" * 256)), Reason.SIGNATURE_WRONG),
    "a signature of one": (set_header(SIGNATURE, in_base64(b"\x00" * 255 + b"\x01")), Reason.SIGNATURE_WRONG),
    "a signature too short": (
        set_signature(lambda raw: in_base64(true_signature(raw)[:200])),
        Reason.SIGNATURE_WRONG,
    ),
    "a signature too long": (
        set_signature(lambda raw: in_base64(true_signature(raw) + b"\x00")),
        Reason.SIGNATURE_WRONG,
    ),
    "a signature of another body": (
        set_signature(lambda _: in_base64(true_signature(b"{}"))),
        Reason.SIGNATURE_WRONG,
    ),
    "a signature of the hash": (
        set_signature(lambda raw: in_base64(true_signature(base64.b16encode(raw)))),
        Reason.SIGNATURE_WRONG,
    ),
    "the other padding": (set_signature(pss_signature), Reason.SIGNATURE_WRONG),
    "an emptied body": (set_body(b""), Reason.SIGNATURE_WRONG),
    "a space more": (set_body(BODY + b" "), Reason.SIGNATURE_WRONG),
    "a mark of byte order more": (set_body(b"\xef\xbb\xbf" + BODY), Reason.SIGNATURE_WRONG),
    "the same JSON written otherwise": (
        set_body(json.dumps(json.loads(BODY), indent=1).encode()),
        Reason.SIGNATURE_WRONG,
    ),
    "the same body zipped": (set_body(gzip.compress(BODY, mtime=0)), Reason.SIGNATURE_WRONG),
    "another referral": (set_body(BODY.replace(b"5d0f", b"5d0e")), Reason.SIGNATURE_WRONG),
    "a body too large": (set_body(b"x" * 65_537), Reason.BODY_TOO_LARGE),
    "a form": (set_header("Content-Type", "application/x-www-form-urlencoded"), Reason.CONTENT_TYPE),
    "no content type": (drop_headers("Content-Type"), Reason.CONTENT_TYPE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_request_is_refused(
    name: str, admission: EventAdmission, host: AttackedHost, socket_calls: list[str]
) -> None:
    change, reason = REFUSED[name]
    draft = RequestDraft.signed()
    change(draft)
    answer = admission.check(draft.headers, draft.body)
    assert isinstance(answer, Refusal)
    assert answer.reason is reason
    assert {address.split("/")[2] for address in host.asked} <= {HOST}
    assert socket_calls == []


def event_body(**fields: object) -> bytes:
    return json.dumps({"EventName": "referral-updated", "ResourceUri": RESOURCE, **fields}).encode()


SIGNED_GARBAGE: dict[str, tuple[bytes, NotUnderstoodReason]] = {
    "nothing": (b"", NotUnderstoodReason.NOT_JSON),
    "half an object": (BODY[:40], NotUnderstoodReason.NOT_JSON),
    "two objects": (BODY + BODY, NotUnderstoodReason.NOT_JSON),
    "not a number": (b'{"EventName": NaN}', NotUnderstoodReason.NOT_JSON),
    "two marks of byte order": (b"\xef\xbb\xbf" * 2 + BODY, NotUnderstoodReason.NOT_JSON),
    "another encoding": (BODY.decode().encode("utf-16"), NotUnderstoodReason.NOT_UTF8),
    "zipped": (gzip.compress(BODY, mtime=0), NotUnderstoodReason.NOT_UTF8),
    "a tower of lists": (b"[" * 65_536, NotUnderstoodReason.TOO_DEEP),
    "a tower of objects": (b'{"a":' * 13_000, NotUnderstoodReason.TOO_DEEP),
    "a number without end": (b'{"a":' + b"9" * 60_000 + b"}", NotUnderstoodReason.NOT_JSON),
    "a list of events": (b"[" + BODY + b"]", NotUnderstoodReason.NOT_AN_OBJECT),
    "a name twice": (b'{"EventName":"referral-updated","eventname":"x"}', NotUnderstoodReason.REPEATED_KEY),
    "a name that is a list": (event_body(EventName=["referral-updated"]), NotUnderstoodReason.WRONG_TYPE),
    "a resource that is an object": (event_body(ResourceUri={"href": RESOURCE}), NotUnderstoodReason.WRONG_TYPE),
    "no resource": (event_body(ResourceUri=None), NotUnderstoodReason.WRONG_TYPE),
    "an invoice": (event_body(EventName="invoice-ready"), NotUnderstoodReason.OTHER_EVENT),
    "an unknown name": (event_body(EventName="referral-exploded"), NotUnderstoodReason.UNKNOWN_EVENT),
    "another host's referral": (
        event_body(ResourceUri=f"https://evil.test/engagements/v1/referrals/{ID}"),
        NotUnderstoodReason.FOREIGN_RESOURCE,
    ),
    "a referral with a query": (
        event_body(ResourceUri=f"{RESOURCE}?$expand=all"),
        NotUnderstoodReason.FOREIGN_RESOURCE,
    ),
    "a way up": (event_body(ResourceUri=RESOURCE.replace(ID, f"../{ID}")), NotUnderstoodReason.FOREIGN_RESOURCE),
    "an id that is none": (event_body(ResourceUri=RESOURCE[:-1] + "g"), NotUnderstoodReason.FOREIGN_RESOURCE),
    "an id and a filter": (event_body(ResourceUri=f"{RESOURCE}' or 1 eq 1"), NotUnderstoodReason.FOREIGN_RESOURCE),
}


@pytest.mark.parametrize("name", SIGNED_GARBAGE)
def test_a_signed_event_without_a_referral_is_admitted_and_not_understood(name: str, admission: EventAdmission) -> None:
    raw, reason = SIGNED_GARBAGE[name]
    assert isinstance(admission.check(RequestDraft.signed(raw).headers, raw), Verified)
    assert parse_event(raw) == NotUnderstood(reason)


def test_there_are_at_least_sixty_cases() -> None:
    assert len(REFUSED) + len(SIGNED_GARBAGE) >= 60
