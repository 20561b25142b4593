"""The door for Partner Center's events: nothing of a body is looked at before its signature is proven.

    door = open_door()                                    # once a process; refuses to open on a wrong setting
    match door.check(request.headers.items(), request.get_body()):
        case Refusal(status=status): ...                  # answer it with an empty body, log the reason
        case Verified(): ...                              # enqueue, answer 202

Source of the rules: reference/partner-center.md 11.4 and examples-to-follow.md B3; docs/event-signature.md says which
code keeps which control and which test proves it. Settings are checked when the door opens; what needs certificates is
imported and read with the first event that gets as far.
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
from shared.webhook.refusals import Reason, Refusal, Unverified, Verified

if TYPE_CHECKING:  # `cryptography` costs a tenth of a second to import
    from shared.webhook.certificate_chain import ChainJudge, Trusted

__all__ = ["Dispatcher", "EventDoor", "Reason", "Refusal", "Unverified", "Verified", "open_door"]

DOCUMENTED_ORIGINS = ("https://3psostorageacct.blob.core.windows.net",)
DOCUMENTED_DISPATCHER = "pcnotifications-dispatch.microsoft.com"
ALGORITHM = "rsa-sha256"
MAX_BODY = 65_536
REMEMBERED_BODIES = 1_000

_SIGNATURE = re.compile(r"[ \t]*(?:signature[ \t]+)?([A-Za-z0-9+/]{16,2044}={0,2})[ \t]*", re.ASCII | re.IGNORECASE)

type Fetch = Callable[[Target, float], bytes]
type Clock = Callable[[], datetime]


class _Source(Protocol):
    def known(self, target: Target, /) -> "Sequence[Trusted]": ...

    def renewed(self, target: Target, tried: "Sequence[Trusted]", /) -> "Sequence[Trusted]": ...


class Dispatcher(Struct, frozen=True):
    """Whose events are let in: the name its certificate carries, where that lies, and what it must chain to.

    PEM texts may hold any number of certificates. `certificates_pem` set means offline: nothing is ever fetched.
    """

    name: str
    certificates: AllowList
    issuers: AllowList
    extra_roots_pem: str = ""
    intermediates_pem: str = ""
    certificates_pem: str = ""


def open_door(  # noqa: PLR0913 - one keyword for each setting
    *,
    origins: Sequence[str] = DOCUMENTED_ORIGINS,
    dispatcher_name: str = DOCUMENTED_DISPATCHER,
    extra_roots_pem: str = "",
    intermediates_pem: str = "",
    certificates_pem: str = "",
    issuer_origins: Sequence[str] = (),
    in_azure: bool = False,
    max_body: int = MAX_BODY,
    ca_bundle: Path | None = None,
    clock: Clock | None = None,
    fetch: Fetch | None = None,
) -> "EventDoor":
    """Check the settings and make the door. Raises ConfigurationError.

    Args:
        origins: exact origins (https) that certificates may be fetched from; also allowed for their issuers.
        dispatcher_name: DNS name that the leaf must carry.
        extra_roots_pem: roots trusted beside certifi's.
        intermediates_pem: issuers that need not be fetched.
        certificates_pem: the dispatcher's own certificates, delivered with the deployment: offline, no fetch at all.
        issuer_origins: further origins (http or https) that missing issuers may be fetched from, by AIA.
        in_azure: no port and no address may then be spelled out in an origin.
        max_body: bytes; a longer body is answered 413.
        ca_bundle: what the connection to a certificate host trusts; None: certifi.
        clock: UTC now.
        fetch: stands in for the pinned download; raises Unavailable.
    """
    own = read_origins(origins, setting="EVENT_CERTIFICATE_ORIGINS", schemes=("https",), in_azure=in_azure)
    above = read_origins(issuer_origins, setting="EVENT_ISSUER_ORIGINS", schemes=("https", "http"), in_azure=in_azure)
    name = dispatcher_name.lower()
    if not own or not is_host_name(name):
        raise ConfigurationError(
            "EVENT_CERTIFICATE_ORIGINS must name one origin at least, and EVENT_DISPATCHER be a host name. "
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
    door = EventDoor(dispatcher, max_body, clock or _utc_now, fetch, ca_bundle)
    if extra_roots_pem.strip() or intermediates_pem.strip() or certificates_pem.strip():
        door.read_settings()
    return door


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class EventDoor:
    """Verifies events for as long as the process lives; safe to use from several threads."""

    dispatcher: Dispatcher
    max_body: int = MAX_BODY
    clock: Clock = _utc_now
    fetch: Fetch | None = None
    ca_bundle: Path | None = None
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def check(self, headers: Iterable[tuple[str, str]], body: bytes) -> Verified | Refusal:
        """Whether this request is the dispatcher's. Never raises, whatever the request holds."""
        try:
            return self.verify(headers, body)
        except Unverified as refused:
            return Refusal.of(refused.reason)
        except Exception as defect:  # noqa: BLE001 - a defect of ours must stay shut and must not become a 5xx
            return Refusal.of(Reason.DEFECT, type(defect).__name__)

    def verify(self, headers: Iterable[tuple[str, str]], body: bytes) -> Verified:
        """As `check`, but raises Unverified with the reason."""
        if len(body) > self.max_body:
            raise Unverified(Reason.BODY_TOO_LARGE)
        fields = _Fields(headers)
        if not fields.is_json():
            raise Unverified(Reason.CONTENT_TYPE)
        if fields.one("x-ms-signature-algorithm").strip(" \t").lower() != ALGORITHM:
            raise Unverified(Reason.ALGORITHM)
        signature = _decoded(fields.one("x-ms-signature" if "x-ms-signature" in fields else "authorization"))
        target = self.dispatcher.certificates.target(fields.one("x-ms-certificate-url").strip(" \t"))
        return self._proven(target, body, signature)

    def read_settings(self) -> None:
        """Read the certificates of the settings now. Raises ConfigurationError."""
        with self._lock:
            self._source  # noqa: B018 - made on first use, under the lock

    def _proven(self, target: Target, body: bytes, signature: bytes) -> Verified:
        self.read_settings()
        tried = self._source.known(target)
        signer = _signer(tried, body, signature) or _signer(self._source.renewed(target, tried), body, signature)
        if signer is None:
            raise Unverified(Reason.SIGNATURE_WRONG)
        return Verified(signer.sha256, self._is_repeated(hashlib.sha256(body).hexdigest()))

    def _is_repeated(self, digest: str) -> bool:
        with self._lock:
            seen = digest in self._seen
            self._seen[digest] = None
            self._seen.move_to_end(digest)
            while len(self._seen) > REMEMBERED_BODIES:
                self._seen.popitem(last=False)
            return seen

    @cached_property
    def _source(self) -> _Source:
        # Imported here, because start-up and most refusals need none of it.
        from shared.webhook import certificate_cache as certificates  # noqa: PLC0415 - above
        from shared.webhook import certificate_chain, certificate_download  # noqa: PLC0415 - above

        offline = certificate_chain.read_setting(self.dispatcher.certificates_pem, "EVENT_CERTIFICATES")
        judge = self._judge()
        if offline:
            return certificates.DeliveredCertificates(
                judge, [certificate_chain.as_der(one) for one in offline], self.clock
            )
        fetch = self.fetch or certificate_download.PinnedDownload(self.ca_bundle)
        return certificates.Certificates(judge, certificates.Downloads(fetch, self.clock), self.clock)

    def _judge(self) -> "ChainJudge":
        from shared.webhook import certificate_chain  # noqa: PLC0415 - as in _source

        extra = certificate_chain.read_setting(self.dispatcher.extra_roots_pem, "EVENT_ROOTS")
        between = certificate_chain.read_setting(self.dispatcher.intermediates_pem, "EVENT_INTERMEDIATES")
        roots = (*certificate_chain.public_roots(), *extra)
        return certificate_chain.ChainJudge(self.dispatcher.name, roots, self.dispatcher.issuers, between)


class _Fields:
    """Header fields by lower-case name, every occurrence kept."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers:
            self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def one(self, name: str) -> str:
        """The value of a field that must stand there exactly once."""
        values = self._values.get(name, [])
        if len(values) != 1:
            raise Unverified(Reason.HEADER_REPEATED if values else Reason.HEADER_MISSING)
        return values[0]

    def is_json(self) -> bool:
        """Whether the one content type is application/json, with any parameters."""
        types = self._values.get("content-type", [])
        return len(types) == 1 and types[0].partition(";")[0].strip(" \t").lower() == "application/json"


def _decoded(header: str) -> bytes:
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        raise Unverified(Reason.SIGNATURE_MALFORMED)
    try:
        return base64.b64decode(found[1], validate=True)
    except ValueError:
        raise Unverified(Reason.SIGNATURE_MALFORMED) from None


def _signer(candidates: "Sequence[Trusted]", body: bytes, signature: bytes) -> "Trusted | None":
    return next((one for one in candidates if one.signed(body, signature)), None)
