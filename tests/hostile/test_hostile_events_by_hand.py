"""Requests that a person would try, each with the one answer it must get."""

import base64
import gzip
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.foundation.errors import Unavailable
from shared.webhook.certificate_origins import Target
from shared.webhook.events import NotUnderstood, NotUnderstoodReason, parse_event
from shared.webhook.signature import EventDoor, Reason, Refusal, Verified, open_door
from tests.hostile.event_bends import PATH, foreign
from tests.hostile.event_drafts import ALGORITHM, BODY, ID, RESOURCE, SIGNATURE, URL, Draft, in_base64
from tests.unit.webhook.chain import (
    CERTIFICATE_URL,
    HOST,
    INTERMEDIATE_URL,
    NOW,
    Wanted,
    authority,
    good_chain,
    issue,
    rsa_key,
)


class Host:
    """Serves the true files, and on other names what an attacker might have got there."""

    def __init__(self) -> None:
        chain, stranger = good_chain(), issue(authority("Stranger Root"))
        at = f"https://{HOST}/cert/"
        other_name = Wanted(
            name="portal.microsoft.com", alternative_names=("portal.microsoft.com",), key=rsa_key("foreign")
        )
        confined = issue(authority("Throw-away Issuing CA 01", key=rsa_key("foreign")), stranger)
        self.asked: list[str] = []
        self.files = {
            CERTIFICATE_URL: chain.leaf.der,
            INTERMEDIATE_URL: chain.intermediate.der,
            f"{at}self-signed.cer": foreign().der,
            f"{at}other-root.cer": issue(Wanted(key=rsa_key("foreign")), confined).der,
            f"{at}other-name.cer": issue(other_name, chain.intermediate).der,
            f"{at}below-leaf.cer": (issue(Wanted(key=rsa_key("foreign")), chain.leaf).pem + chain.leaf.pem).encode(),
            f"{at}html.cer": b"<html>404</html>",
            f"{at}empty.cer": b"",
        }

    def __call__(self, target: Target, _seconds: float) -> bytes:
        self.asked.append(str(target))
        if str(target) not in self.files:
            raise Unavailable("404")
        return self.files[str(target)]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def door(host: Host) -> EventDoor:
    return open_door(extra_roots_pem=good_chain().root.pem, clock=lambda: NOW, fetch=host)


type Change = Callable[[Draft], None]


def put(name: str, value: str) -> Change:
    return lambda draft: draft.put(name, value)


def url(text: str) -> Change:
    return put(URL, text)


def signed_by_foreigner(file: str) -> Change:
    """The attacker signs with a key of his own and names a certificate that goes with it."""

    def change(draft: Draft) -> None:
        draft.headers = Draft.signed(draft.body, foreign()).headers
        draft.put(URL, f"https://{HOST}/cert/{file}.cer")

    return change


def signature(make: Callable[[bytes], str]) -> Change:
    return lambda draft: draft.put(SIGNATURE, make(draft.body))


def true(body: bytes) -> bytes:
    return good_chain().leaf.sign(body)


def pss(body: bytes) -> str:
    key = good_chain().leaf.key
    assert isinstance(key, rsa.RSAPrivateKey)
    return in_base64(key.sign(body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))


def body(new: bytes) -> Change:
    def change(draft: Draft) -> None:
        draft.body = new

    return change


def doubled(name: str, *, value: str | None = None, first: bool = False) -> Change:
    def change(draft: Draft) -> None:
        pair = (name.title(), draft.value(name) if value is None else value)
        draft.headers.insert(0 if first else len(draft.headers), pair)

    return change


def without(*names: str) -> Change:
    def change(draft: Draft) -> None:
        for name in names:
            draft.drop(name)

    return change


def bearer(draft: Draft) -> None:
    draft.rename(SIGNATURE, "Authorization")
    draft.put("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")


def nothing_at_all(draft: Draft) -> None:
    draft.headers, draft.body = [], b""


def underscored(draft: Draft) -> None:
    draft.headers = [(name.replace("-", "_"), value) for name, value in draft.headers if name != "Content-Type"]
    draft.headers.append(("Content-Type", "application/json"))


REFUSED: dict[str, tuple[Change, Reason]] = {
    "nothing at all": (nothing_at_all, Reason.CONTENT_TYPE),
    "no signature": (without(SIGNATURE), Reason.HEADER_MISSING),
    "no certificate address": (without(URL), Reason.HEADER_MISSING),
    "no algorithm": (without(ALGORITHM), Reason.HEADER_MISSING),
    "only a body": (without(SIGNATURE, URL, ALGORITHM), Reason.HEADER_MISSING),
    "underscores for hyphens": (underscored, Reason.HEADER_MISSING),
    "a bearer token instead": (bearer, Reason.SIGNATURE_MALFORMED),
    "the same signature twice": (doubled(SIGNATURE), Reason.HEADER_REPEATED),
    "a second address before": (doubled(URL, value="https://evil.test/cert/a.cer", first=True), Reason.HEADER_REPEATED),
    "a second address after": (doubled(URL, value="https://evil.test/cert/a.cer"), Reason.HEADER_REPEATED),
    "a second algorithm": (doubled(ALGORITHM, value="none"), Reason.HEADER_REPEATED),
    "two content types": (doubled("Content-Type", value="text/plain"), Reason.CONTENT_TYPE),
    "addresses folded into one": (url(f"{CERTIFICATE_URL}, https://evil.test/a.cer"), Reason.URL_MALFORMED),
    "another account": (url(f"https://anyone.blob.core.windows.net{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "plain http": (url(f"http://{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a longer host": (url(f"https://{HOST}.evil.test{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a host that ends alike": (url(f"https://x{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a subdomain": (url(f"https://x.{HOST}{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a trailing dot": (url(f"https://{HOST}.{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a user before the host": (url(f"https://{HOST}@evil.test{PATH}"), Reason.URL_MALFORMED),
    "the host as user": (url(f"https://evil.test@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "a backslash before the at": (url(f"https://evil.test\\@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "a fragment before the at": (url(f"https://evil.test#@{HOST}{PATH}"), Reason.URL_MALFORMED),
    "the default port": (url(f"https://{HOST}:443{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "another port": (url(f"https://{HOST}:8080{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "an empty port": (url(f"https://{HOST}:{PATH}"), Reason.URL_MALFORMED),
    "the metadata service": (url("http://169.254.169.254/metadata/identity/oauth2/token"), Reason.ORIGIN_NOT_ALLOWED),
    "the platform's address": (url(f"https://168.63.129.16{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback": (url(f"https://127.0.0.1{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback as a number": (url(f"https://2130706433{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "the loopback of IPv6": (url(f"https://[::1]{PATH}"), Reason.URL_MALFORMED),
    "localhost": (url(f"https://localhost{PATH}"), Reason.ORIGIN_NOT_ALLOWED),
    "a file": (url("file:///etc/passwd"), Reason.URL_MALFORMED),
    "data in the address": (url("data:application/pkix-cert;base64,AAAA"), Reason.URL_MALFORMED),
    "a cyrillic letter": (url(f"https://{HOST.replace('o', chr(0x43E), 1)}{PATH}"), Reason.URL_MALFORMED),
    "an ideographic full stop": (url(f"https://{HOST.replace('.', chr(0x3002), 1)}{PATH}"), Reason.URL_MALFORMED),
    "a line break and a header": (url(f"{CERTIFICATE_URL}\r\nHost: evil.test"), Reason.URL_MALFORMED),
    "a zero byte": (url(f"{CERTIFICATE_URL}\x00"), Reason.URL_MALFORMED),
    "a query": (url(f"{CERTIFICATE_URL}?sv=1&sig=x"), Reason.URL_MALFORMED),
    "a fragment": (url(f"{CERTIFICATE_URL}#x"), Reason.URL_MALFORMED),
    "a way up": (url(f"https://{HOST}/cert/../evil/a.cer"), Reason.PATH_NOT_ALLOWED),
    "an encoded way up": (url(f"https://{HOST}/cert/%2e%2e%2fevil.cer"), Reason.PATH_NOT_ALLOWED),
    "another folder": (url(f"https://{HOST}/evil/a.cer"), Reason.PATH_NOT_ALLOWED),
    "another ending": (url(f"https://{HOST}/cert/a.exe"), Reason.PATH_NOT_ALLOWED),
    "an address without end": (url(f"https://{HOST}/cert/" + "a" * 100_000 + ".cer"), Reason.URL_MALFORMED),
    "an empty address": (url(""), Reason.URL_MALFORMED),
    "a file that is not there": (url(f"https://{HOST}/cert/none.cer"), Reason.CERTIFICATE_UNAVAILABLE),
    "a page for a certificate": (signed_by_foreigner("html"), Reason.CERTIFICATE_UNREADABLE),
    "an empty certificate": (signed_by_foreigner("empty"), Reason.CERTIFICATE_UNREADABLE),
    "a self-signed certificate": (signed_by_foreigner("self-signed"), Reason.CERTIFICATE_CHAIN),
    "a chain of one's own": (signed_by_foreigner("other-root"), Reason.CERTIFICATE_CHAIN),
    "a good certificate of another name": (signed_by_foreigner("other-name"), Reason.CERTIFICATE_NAME),
    "issued by the dispatcher's own leaf": (signed_by_foreigner("below-leaf"), Reason.CERTIFICATE_CHAIN),
    "one's own key under the true address": (
        signed_by_foreigner("pcnotifications-dispatch.microsoft.com"),
        Reason.SIGNATURE_WRONG,
    ),
    "algorithm none": (put(ALGORITHM, "none"), Reason.ALGORITHM),
    "algorithm sha1": (put(ALGORITHM, "rsa-sha1"), Reason.ALGORITHM),
    "algorithm md5": (put(ALGORITHM, "rsa-md5"), Reason.ALGORITHM),
    "algorithm of a shared secret": (put(ALGORITHM, "hmac-sha256"), Reason.ALGORITHM),
    "an empty signature": (put(SIGNATURE, ""), Reason.SIGNATURE_MALFORMED),
    "the word alone": (put(SIGNATURE, "Signature "), Reason.SIGNATURE_MALFORMED),
    "no base64": (put(SIGNATURE, "Signature ####"), Reason.SIGNATURE_MALFORMED),
    "base64 of the other alphabet": (put(SIGNATURE, "Signature " + "-_" * 172), Reason.SIGNATURE_MALFORMED),
    "broken padding": (signature(lambda raw: in_base64(true(raw))[:-2]), Reason.SIGNATURE_MALFORMED),
    "letters beyond ASCII": (put(SIGNATURE, "Signature \u00e9\u00e8" * 50), Reason.SIGNATURE_MALFORMED),
    "two signatures in one": (
        signature(lambda raw: f"{in_base64(true(raw))},{in_base64(true(raw))}"),
        Reason.SIGNATURE_MALFORMED,
    ),
    "a signature without end": (put(SIGNATURE, "A" * 1_000_000), Reason.SIGNATURE_MALFORMED),
    "a signature of zeros": (put(SIGNATURE, in_base64(b"\x00" * 256)), Reason.SIGNATURE_WRONG),
    "a signature of one": (put(SIGNATURE, in_base64(b"\x00" * 255 + b"\x01")), Reason.SIGNATURE_WRONG),
    "a signature too short": (signature(lambda raw: in_base64(true(raw)[:200])), Reason.SIGNATURE_WRONG),
    "a signature too long": (signature(lambda raw: in_base64(true(raw) + b"\x00")), Reason.SIGNATURE_WRONG),
    "a signature of another body": (signature(lambda _: in_base64(true(b"{}"))), Reason.SIGNATURE_WRONG),
    "a signature of the hash": (
        signature(lambda raw: in_base64(true(base64.b16encode(raw)))),
        Reason.SIGNATURE_WRONG,
    ),
    "the other padding": (signature(pss), Reason.SIGNATURE_WRONG),
    "an emptied body": (body(b""), Reason.SIGNATURE_WRONG),
    "a space more": (body(BODY + b" "), Reason.SIGNATURE_WRONG),
    "a mark of byte order more": (body(b"\xef\xbb\xbf" + BODY), Reason.SIGNATURE_WRONG),
    "the same JSON written otherwise": (body(json.dumps(json.loads(BODY), indent=1).encode()), Reason.SIGNATURE_WRONG),
    "the same body zipped": (body(gzip.compress(BODY, mtime=0)), Reason.SIGNATURE_WRONG),
    "another referral": (body(BODY.replace(b"5d0f", b"5d0e")), Reason.SIGNATURE_WRONG),
    "a body too large": (body(b"x" * 65_537), Reason.BODY_TOO_LARGE),
    "a form": (put("Content-Type", "application/x-www-form-urlencoded"), Reason.CONTENT_TYPE),
    "no content type": (without("Content-Type"), Reason.CONTENT_TYPE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str, door: EventDoor, host: Host, sockets: list[str]) -> None:
    change, reason = REFUSED[name]
    draft = Draft.signed()
    change(draft)
    answer = door.check(draft.headers, draft.body)
    assert isinstance(answer, Refusal)
    assert answer.reason is reason
    assert {address.split("/")[2] for address in host.asked} <= {HOST}
    assert sockets == []


def event(**fields: object) -> bytes:
    return json.dumps({"EventName": "referral-updated", "ResourceUri": RESOURCE, **fields}).encode()


SIGNED_GARBAGE: dict[str, tuple[bytes, NotUnderstoodReason]] = {
    "nothing": (b"", NotUnderstoodReason.NOT_JSON),
    "half an object": (BODY[:40], NotUnderstoodReason.NOT_JSON),
    "two objects": (BODY + BODY, NotUnderstoodReason.NOT_JSON),
    "not a number": (b'{"EventName": NaN}', NotUnderstoodReason.NOT_JSON),
    "a mark of byte order": (b"\xef\xbb\xbf" + BODY, NotUnderstoodReason.NOT_JSON),
    "another encoding": (BODY.decode().encode("utf-16"), NotUnderstoodReason.NOT_UTF8),
    "zipped": (gzip.compress(BODY, mtime=0), NotUnderstoodReason.NOT_UTF8),
    "a tower of lists": (b"[" * 65_536, NotUnderstoodReason.TOO_DEEP),
    "a tower of objects": (b'{"a":' * 13_000, NotUnderstoodReason.TOO_DEEP),
    "a number without end": (b'{"a":' + b"9" * 60_000 + b"}", NotUnderstoodReason.NOT_JSON),
    "a list of events": (b"[" + BODY + b"]", NotUnderstoodReason.NOT_AN_OBJECT),
    "a name twice": (b'{"EventName":"referral-updated","eventname":"x"}', NotUnderstoodReason.REPEATED_KEY),
    "a name that is a list": (event(EventName=["referral-updated"]), NotUnderstoodReason.WRONG_TYPE),
    "a resource that is an object": (event(ResourceUri={"href": RESOURCE}), NotUnderstoodReason.WRONG_TYPE),
    "no resource": (event(ResourceUri=None), NotUnderstoodReason.WRONG_TYPE),
    "an invoice": (event(EventName="invoice-ready"), NotUnderstoodReason.OTHER_EVENT),
    "a name nobody knows": (event(EventName="referral-exploded"), NotUnderstoodReason.UNKNOWN_EVENT),
    "another host's referral": (
        event(ResourceUri=f"https://evil.test/engagements/v1/referrals/{ID}"),
        NotUnderstoodReason.FOREIGN_RESOURCE,
    ),
    "a referral with a query": (event(ResourceUri=f"{RESOURCE}?$expand=all"), NotUnderstoodReason.FOREIGN_RESOURCE),
    "a way up": (event(ResourceUri=RESOURCE.replace(ID, f"../{ID}")), NotUnderstoodReason.FOREIGN_RESOURCE),
    "an id that is none": (event(ResourceUri=RESOURCE[:-1] + "g"), NotUnderstoodReason.FOREIGN_RESOURCE),
    "an id and a filter": (event(ResourceUri=f"{RESOURCE}' or 1 eq 1"), NotUnderstoodReason.FOREIGN_RESOURCE),
}


@pytest.mark.parametrize("name", SIGNED_GARBAGE)
def test_signed_it_is_let_in_and_says_nothing(name: str, door: EventDoor) -> None:
    raw, reason = SIGNED_GARBAGE[name]
    assert isinstance(door.check(Draft.signed(raw).headers, raw), Verified)
    assert parse_event(raw) == NotUnderstood(reason)


def test_there_are_sixty_cases_at_least() -> None:
    assert len(REFUSED) + len(SIGNED_GARBAGE) >= 60
