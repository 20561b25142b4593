"""Verify the signature of a webhook event of Partner Center before anything in its body is read.

    verifier = open_verifier()                                    # once per process; checks the settings
    verified = verifier.verify(HeaderFields(headers), body)       # raises Unverified with the reason

The rules come from docs/reference/partner-center.md#event-signature and
docs/reference/partner-center.md#webhook-admission-controls. docs/event-signature.md#controls lists which test proves
which control. The `cryptography` library is imported when the first event reaches the certificate
check, because a start and most refusals do not need it.
"""

import base64
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.webhook.certificate_origins import (
    ISSUER_PATH,
    LEAF_PATH,
    AllowList,
    Target,
    is_host_name,
    read_origins,
)
from shared.webhook.refusals import Reason, Unverified, Verified

if TYPE_CHECKING:  # `cryptography` takes a tenth of a second to import
    from shared.webhook.certificate_chain import ChainVerifier, TrustedCertificate

DOCUMENTED_ORIGINS = ("https://3psostorageacct.blob.core.windows.net",)
DOCUMENTED_ISSUERS = (
    "http://www.microsoft.com",
    "http://caissuers.microsoft.com",
    "http://cacerts.digicert.com",
    "http://cacerts.geotrust.com",
    "http://cacerts.digicert.cn",
)
"""From these origins the issuers of Microsoft's certificates may be fetched.

The dispatcher's file probably holds its leaf alone, so without them no event would be admitted. Plain http is enough,
because an issuer is used only if its signature fits a chain to a trusted root
(docs/reference/partner-center.md#certificate-of-the-dispatcher).
"""
DOCUMENTED_DISPATCHER = "pcnotifications-dispatch.microsoft.com"
ALGORITHM = "rsa-sha256"
REMEMBERED_BODIES = 1_000
"""The number of bodies that are remembered, to recognise a repeated one."""

# Only the word may have any case: ignoring it for the whole pattern would make each character slower.
_SIGNATURE = re.compile(r"[ \t]*(?:(?i:signature)[ \t]+)?([A-Za-z0-9+/]{16,2044}={0,2})[ \t]*", re.ASCII)

type Fetch = Callable[[Target, float], bytes]
type Clock = Callable[[], datetime]


class _CertificateSource(Protocol):
    def current_certificates(self, target: Target, /) -> "Sequence[TrustedCertificate]": ...

    def renewed_certificates(
        self, target: Target, tried: "Sequence[TrustedCertificate]", /
    ) -> "Sequence[TrustedCertificate]": ...


class Dispatcher(Struct, frozen=True):
    """The sender whose events are admitted: the name in its certificate, allowed download addresses, extra trust.

    A PEM text may hold any number of certificates. If `certificates_pem` is set, nothing is ever fetched (offline).
    """

    name: str
    certificates: AllowList
    issuers: AllowList
    extra_roots_pem: str = ""
    intermediates_pem: str = ""
    certificates_pem: str = ""


def open_verifier(  # noqa: PLR0913 - one keyword for each setting
    *,
    origins: Sequence[str] = DOCUMENTED_ORIGINS,
    dispatcher_name: str = DOCUMENTED_DISPATCHER,
    extra_roots_pem: str = "",
    intermediates_pem: str = "",
    certificates_pem: str = "",
    issuer_origins: Sequence[str] = DOCUMENTED_ISSUERS,
    in_azure: bool = False,
    ca_bundle: Path | None = None,
    clock: Clock | None = None,
    fetch: Fetch | None = None,
) -> "SignatureVerifier":
    """A verifier for these settings. Raises ConfigurationError if one of them is wrong.

    Args:
        origins: exact origins (https) from which certificates may be fetched; their issuers too.
        dispatcher_name: DNS name that the dispatcher's certificate must carry.
        extra_roots_pem: roots that are trusted in addition to certifi's.
        intermediates_pem: issuers that then need not be fetched.
        certificates_pem: the dispatcher's own certificates, delivered with the deployment; nothing is fetched then.
        issuer_origins: further origins (http or https) from which a missing issuer may be fetched, as the certificate
            names it (AIA).
        in_azure: if true, an origin must name neither a port nor an IP address.
        ca_bundle: roots that the connection to a certificate host trusts; None: certifi's.
        clock: returns the time now, UTC.
        fetch: replaces the download in tests; raises Unavailable.
    """
    own = read_origins(origins, setting="EVENT_CERTIFICATE_ORIGINS", schemes=("https",), in_azure=in_azure)
    above = read_origins(issuer_origins, setting="EVENT_ISSUER_ORIGINS", schemes=("https", "http"), in_azure=in_azure)
    name = dispatcher_name.lower()
    if not own or not is_host_name(name):
        raise ConfigurationError(
            "EVENT_CERTIFICATE_ORIGINS must name at least one origin, and EVENT_DISPATCHER must be a host name. "
            f"Example: {DOCUMENTED_ORIGINS[0]}, {DOCUMENTED_DISPATCHER}"
        )
    dispatcher = Dispatcher(
        name,
        AllowList(own, LEAF_PATH),
        AllowList((*own, *above), ISSUER_PATH),
        extra_roots_pem,
        intermediates_pem,
        certificates_pem,
    )
    verifier = SignatureVerifier(dispatcher, clock or _utc_now, fetch, ca_bundle)
    if extra_roots_pem.strip() or intermediates_pem.strip() or certificates_pem.strip():
        verifier.read_certificate_settings()
    return verifier


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class SignatureVerifier:
    """Verifies events for the whole life of a process. Safe to use from several threads."""

    dispatcher: Dispatcher
    clock: Clock = _utc_now
    fetch: Fetch | None = None
    ca_bundle: Path | None = None
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def verify(self, fields: "HeaderFields", body: bytes) -> Verified:
        """Proof that the dispatcher signed these bytes. Raises Unverified with the reason."""
        if fields.single_value("x-ms-signature-algorithm").strip(" \t").lower() != ALGORITHM:
            raise Unverified(Reason.ALGORITHM)
        signature = _decode_signature(
            fields.single_value("x-ms-signature" if "x-ms-signature" in fields else "authorization")
        )
        target = self.dispatcher.certificates.parse_url(fields.single_value("x-ms-certificate-url").strip(" \t"))
        return self._verify_signature(target, body, signature)

    def read_certificate_settings(self) -> None:
        """Read the certificates in the settings now. Raises ConfigurationError."""
        with self._lock:
            self._certificates  # noqa: B018 - the first access makes it, under the lock

    def _verify_signature(self, target: Target, body: bytes, signature: bytes) -> Verified:
        self.read_certificate_settings()
        tried = self._certificates.current_certificates(target)
        signer = _find_signer(tried, body, signature) or _find_signer(
            self._certificates.renewed_certificates(target, tried), body, signature
        )
        if signer is None:
            raise Unverified(Reason.SIGNATURE_WRONG)
        return Verified(signer.sha256, self._remember_body(hashlib.sha256(body).hexdigest()))

    def _remember_body(self, digest: str) -> bool:
        """Remember the body; whether it was remembered already."""
        with self._lock:
            is_repeated = digest in self._seen
            self._seen[digest] = None
            self._seen.move_to_end(digest)
            while len(self._seen) > REMEMBERED_BODIES:
                self._seen.popitem(last=False)
            return is_repeated

    @cached_property
    def _certificates(self) -> _CertificateSource:
        # Imported here, because a start and most refusals need none of it.
        from shared.webhook import certificate_cache, certificate_chain, certificate_download  # noqa: PLC0415 - above

        delivered = certificate_chain.read_pem_setting(self.dispatcher.certificates_pem, "EVENT_CERTIFICATES")
        chains = self._chain_verifier()
        if delivered:
            return certificate_cache.DeliveredCertificates(
                chains, [certificate_chain.der_bytes(one) for one in delivered], self.clock
            )
        fetch = self.fetch or certificate_download.PinnedDownload(self.ca_bundle)
        downloads = certificate_cache.LimitedDownloads(fetch, self.clock)
        return certificate_cache.CertificateCache(chains, downloads, self.clock)

    def _chain_verifier(self) -> "ChainVerifier":
        from shared.webhook import certificate_chain  # noqa: PLC0415 - as in _certificates

        extra = certificate_chain.read_pem_setting(self.dispatcher.extra_roots_pem, "EVENT_ROOTS")
        intermediates = certificate_chain.read_pem_setting(self.dispatcher.intermediates_pem, "EVENT_INTERMEDIATES")
        roots = (*certificate_chain.public_roots(), *extra)
        return certificate_chain.ChainVerifier(self.dispatcher.name, roots, self.dispatcher.issuers, intermediates)


class HeaderFields:
    """The header fields of a request by lower-case name, with every occurrence of each."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        """`headers` are names and values in the order in which they arrived."""
        self._values: dict[str, list[str]] = {}
        for name, value in headers:
            self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        """Whether the field occurs at least once."""
        return name in self._values

    def single_value(self, name: str) -> str:
        """The value of a field that must occur exactly once. Raises Unverified."""
        values = self._values.get(name, [])
        if len(values) != 1:
            raise Unverified(Reason.HEADER_REPEATED if values else Reason.HEADER_MISSING)
        return values[0]

    def is_json(self) -> bool:
        """Whether there is exactly one content type and it is application/json, with any parameters."""
        types = self._values.get("content-type", [])
        return len(types) == 1 and types[0].partition(";")[0].strip(" \t").lower() == "application/json"


def _decode_signature(header: str) -> bytes:
    match = _SIGNATURE.fullmatch(header)
    if match is None:
        raise Unverified(Reason.SIGNATURE_MALFORMED)
    try:
        return base64.b64decode(match[1], validate=True)
    except ValueError:
        raise Unverified(Reason.SIGNATURE_MALFORMED) from None


def _find_signer(
    candidates: "Sequence[TrustedCertificate]", body: bytes, signature: bytes
) -> "TrustedCertificate | None":
    return next((one for one in candidates if one.has_signed(body, signature)), None)
