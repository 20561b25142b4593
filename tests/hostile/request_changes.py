"""Change a genuine request so that it must be refused, or in a way that must not matter.

Each change is a function of a draft and of a seeded random generator.
"""

import base64
import gzip
import random
import string
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.hostile.request_drafts import ALGORITHM, SIGNATURE, URL, RequestDraft, in_base64
from tests.unit.webhook.throwaway_chain import (
    CERTIFICATE_URL,
    HOST,
    CertificateSpec,
    Identity,
    good_chain,
    issue,
    rsa_key,
)


def self_signed_identity() -> Identity:
    """A certificate with the dispatcher's name that no authority has signed."""
    return issue(CertificateSpec(key=rsa_key("foreign")))


PATH = "/cert/pcnotifications-dispatch.microsoft.com.cer"
AUTHORITIES = [
    "evil.test",
    f"{HOST}.evil.test",
    f"evil.{HOST}",
    f"{HOST}@evil.test",
    f"evil.test@{HOST}",
    f"evil.test#{HOST}",
    f"evil.test\\@{HOST}",
    f"{HOST}:80",
    f"{HOST}:443",
    f"{HOST}:",
    f"{HOST}.",
    f"{HOST}%00.evil.test",
    f"{HOST}\t",
    f"{HOST} ",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "localhost",
    "localhost.",
    "169.254.169.254",
    "168.63.129.16",
    "metadata.google.internal",
    "10.0.0.1",
    "0",
    "anyone.blob.core.windows.net",
    HOST.replace("o", "\u043e"),
    HOST.replace(".", "\u3002"),
    HOST.replace("3", "\uff13"),
    "",
    f"{HOST}\r\nX: y",
    f"{HOST}?@evil.test",
]
PATHS = [
    "/",
    "",
    "/cert/",
    "/cert/../../x.cer",
    "/cert/%2e%2e/x.cer",
    "/cert/x.cer?u=1",
    "/cert/x.cer#y",
    "/cert//x.cer",
    "/CERT/x.cer",
    "/cert/x.cer;y",
    "/cert/x.cer%0d%0aX:y",
    "/cert/\u00e9.cer",
    "/cert/x.cer\n",
    "/cert/" + "x" * 5000 + ".cer",
    "\\cert\\x.cer",
]
SCHEMES = ["http", "ftp", "file", "gopher", "data", "javascript", "https:https", "", "HTTPS ", "ldap", "jar:https"]
NASTY_URLS = [
    *(f"https://{authority}{PATH}" for authority in AUTHORITIES),
    *(f"https://{HOST}{path}" for path in PATHS),
    *(f"{scheme}://{HOST}{PATH}" for scheme in SCHEMES),
    *(f"//{HOST}{PATH}", PATH, HOST, f"https:/{HOST}{PATH}", f"https:{HOST}{PATH}", f"https:///{HOST}{PATH}"),
]
"""Addresses that some URL parser could read as the allowed one."""
ALGORITHMS = [
    "",
    "rsa-sha1",
    "rsa-md5",
    "rsa-sha512",
    "rsa-none",
    "none",
    "HS256",
    "RS256",
    "rsa",
    "sha256",
    "rsa_sha256",
    "rsa-sha256;",
]
TYPES = [
    "",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "json",
    "*/*",
    ";",
    "\u00e9",
]
JUNK = [
    "",
    " ",
    "\x00",
    "\r\n",
    "\u0130",
    "\ud800",
    "null",
    "None",
    "undefined",
    "true",
    "[]",
    "{}",
    "%s%n",
    "${jndi:ldap://x}",
    "A" * 100_000,
]

type RequestChange = Callable[[RequestDraft, random.Random], None]


def junk_text(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(JUNK)
    return "".join(
        chr(chance.choice([chance.randrange(128), chance.randrange(0x3000)])) for _ in range(chance.randrange(1, 60))
    )


def _any_header(draft: RequestDraft, chance: random.Random) -> str:
    return chance.choice([name for name, _ in draft.headers if name != "Host"] or ["Content-Type"])


def drop_header(draft: RequestDraft, chance: random.Random) -> None:
    draft.drop_header(_any_header(draft, chance))
    draft.is_genuine = False


def repeat_any_header(draft: RequestDraft, chance: random.Random) -> None:
    name = _any_header(draft, chance)
    draft.headers.insert(
        chance.randrange(len(draft.headers) + 1),
        (name.upper(), chance.choice([draft.header_value(name), junk_text(chance)])),
    )
    draft.is_genuine = False


def put_junk_in_header(draft: RequestDraft, chance: random.Random) -> None:
    draft.set_header(_any_header(draft, chance), junk_text(chance))
    draft.is_genuine = False


def fold_header(draft: RequestDraft, chance: random.Random) -> None:
    """Join two fields of one name into one value, as a host may do."""
    name = _any_header(draft, chance)
    draft.set_header(
        name, f"{draft.header_value(name)}, {chance.choice([draft.header_value(name), junk_text(chance)])}"
    )
    draft.is_genuine = False


def set_bad_url(draft: RequestDraft, chance: random.Random) -> None:
    draft.set_header(URL, chance.choice(NASTY_URLS))
    draft.is_genuine = False


def set_other_file(draft: RequestDraft, chance: random.Random) -> None:
    name = "".join(chance.choice(string.ascii_letters + string.digits + "._-") for _ in range(chance.randrange(1, 20)))
    draft.set_header(URL, f"https://{HOST}/cert/{name}.cer")
    draft.is_genuine = False


def mangle_url(draft: RequestDraft, chance: random.Random) -> None:
    url = CERTIFICATE_URL
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(url))
        url = (
            url[:at]
            + chr(chance.choice([chance.randrange(33, 127), chance.randrange(0x3000)]))
            + url[at + chance.randrange(2) :]
        )
    draft.set_header(URL, url)
    draft.is_genuine = draft.is_genuine and url == CERTIFICATE_URL


def set_bad_algorithm(draft: RequestDraft, chance: random.Random) -> None:
    draft.set_header(ALGORITHM, chance.choice(ALGORITHMS))
    draft.is_genuine = False


def set_bad_type(draft: RequestDraft, chance: random.Random) -> None:
    draft.set_header("Content-Type", chance.choice(TYPES))
    draft.is_genuine = False


def set_bad_signature(draft: RequestDraft, chance: random.Random) -> None:
    leaf = good_chain().leaf
    assert isinstance(leaf.key, rsa.RSAPrivateKey)
    genuine = leaf.sign(draft.body)
    flipped = bytearray(genuine)
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    forged = [
        bytes(flipped),
        genuine[:-1],
        genuine + b"\x00",
        b"\x00" + genuine,
        b"",
        b"\x00" * 256,
        b"\xff" * 256,
        b"\x00" * 255 + b"\x01",
        chance.randbytes(256),
        chance.randbytes(chance.randrange(600)),
        leaf.sign(draft.body + b"\n"),
        leaf.sign(draft.body, hashes.SHA512()),
        leaf.key.sign(draft.body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
        foreign_key().sign(draft.body),
    ]
    draft.set_header(SIGNATURE, chance.choice(["Signature {}", "{}"]).format(in_base64(chance.choice(forged))))
    draft.is_genuine = False


def foreign_key() -> Identity:
    return Identity(rsa_key("foreign"), good_chain().leaf.certificate)


def misspell_signature(draft: RequestDraft, chance: random.Random) -> None:
    text = in_base64(good_chain().leaf.sign(draft.body))
    spelt = [
        f"Bearer {text}",
        f"Basic {text}",
        f"Signature{text}",
        f"Signature: {text}",
        f"Signature {text} {text}",
        text[:100] + " " + text[100:],
        text[:100] + "\n" + text[100:],
        text.rstrip("="),
        text + "=",
        text + "====",
        text[::-1],
        base64.b64decode(text).hex(),
        f"\ufeff{text}",
        f"Signature {text},",
        f'"{text}"',
        text.replace("=", "%3D"),
        f"Sign\u0131ature {text}",
        f"\u00a0{text}",
        text[:-8] + "\x00",
    ]
    draft.set_header(SIGNATURE, chance.choice(spelt))
    draft.is_genuine = False


def change_body(draft: RequestDraft, chance: random.Random) -> None:
    body = draft.body
    at = chance.randrange(len(body) or 1)
    changed = [
        b"",
        body[:at],
        body + chance.randbytes(1),
        b"\xef\xbb\xbf" + body,
        body + b"\n",
        gzip.compress(body),
        body.replace(b" ", b""),
        body.decode("latin-1").encode("utf-16"),
        body[:at] + chance.randbytes(1) + b"\x00" + body[at + 1 :],
        b"x" * 70_000,
        body * 2,
    ]
    new = chance.choice(changed)
    draft.is_genuine = draft.is_genuine and new == body
    draft.body = new


# The later a change is detected, the more often it is chosen.
HOSTILE_CHANGES: dict[RequestChange, int] = {
    drop_header: 1,
    repeat_any_header: 1,
    put_junk_in_header: 1,
    fold_header: 1,
    set_bad_algorithm: 1,
    set_bad_type: 1,
    set_bad_url: 3,
    set_other_file: 4,
    mangle_url: 3,
    misspell_signature: 2,
    set_bad_signature: 6,
    change_body: 4,
}


def change_header_case(draft: RequestDraft, chance: random.Random) -> None:
    draft.headers = [
        ("".join(chance.choice([c.upper(), c.lower()]) for c in name), value) for name, value in draft.headers
    ]


def add_headers(draft: RequestDraft, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 5)):
        draft.headers.insert(chance.randrange(len(draft.headers) + 1), (f"X-{chance.random()}", junk_text(chance)))


def reorder_headers(draft: RequestDraft, chance: random.Random) -> None:
    chance.shuffle(draft.headers)


def strip_signature_word(draft: RequestDraft, _chance: random.Random) -> None:
    draft.set_header(SIGNATURE, draft.header_value(SIGNATURE).removeprefix("Signature "))


def move_signature_to_authorization(draft: RequestDraft, _chance: random.Random) -> None:
    if not draft.header_value("Authorization"):
        draft.rename_header(SIGNATURE, "Authorization")


def add_other_authorization(draft: RequestDraft, chance: random.Random) -> None:
    if draft.header_value(SIGNATURE):
        draft.headers.append(("Authorization", "Bearer " + junk_text(chance)))


HARMLESS_CHANGES: list[RequestChange] = [
    add_headers,
    reorder_headers,
    strip_signature_word,
    add_other_authorization,
    move_signature_to_authorization,
]
