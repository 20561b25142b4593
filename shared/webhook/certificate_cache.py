"""Keep the dispatcher's certificates by URL and fingerprint. Each URL is fetched at most once a minute.

Anyone can send events, and so choose among the allowed URLs. A flood of events must not cause a flood of downloads, and
must not push the dispatcher's own certificate out of the cache. Therefore all URLs other than the expected one
(`/cert/NAME.cer`) share a small budget, and only verified certificates are kept, for as long as their chain is valid
(docs/reference/partner-center.md#webhook-admission-controls, control 7).
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from shared.foundation.errors import Unavailable
from shared.webhook.certificate_chain import ChainVerifier, TrustedCertificate
from shared.webhook.certificate_origins import Target
from shared.webhook.refusals import Reason, Unverified

FETCH_AGAIN_AFTER = timedelta(minutes=1)
UNEXPECTED_URLS_A_MINUTE = 6
TOTAL_SECONDS = 5.0
"""For a certificate and its issuers together."""
MAX_URLS = 16
MAX_PER_URL = 2
MAX_VERDICTS = 64

type Fetch = Callable[[Target, float], bytes]
type Clock = Callable[[], datetime]


class _Outcome(Struct):
    """One fetch. Callers wait while it runs, and every caller within the minute gets the same outcome."""

    at: datetime
    is_expected: bool
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    body: bytes | None = None


class LimitedDownloads:
    """Remembers every fetch for a minute, whether it succeeded or failed."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        """`fetch` raises Unavailable."""
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._outcomes: dict[Target, _Outcome] = {}

    def fetch(self, target: Target, seconds: float, *, is_expected: bool) -> bytes:
        """The file at `target`, at most a minute old. Raises Unverified."""
        outcome = self._recent_outcome(target, is_expected=is_expected)
        with outcome.lock:
            if not outcome.done:
                outcome.done = True  # set first: even if the fetch raises, it was the only one of this minute
                outcome.body = self._try_fetch(target, seconds)
        if outcome.body is None:
            raise Unverified(Reason.CERTIFICATE_UNAVAILABLE)
        return outcome.body

    def _recent_outcome(self, target: Target, *, is_expected: bool) -> _Outcome:
        with self._lock:
            now = self._clock()
            # abs(): an outcome must not stay for ever after the clock was set back.
            recent = {url: one for url, one in self._outcomes.items() if abs(now - one.at) < FETCH_AGAIN_AFTER}
            if target not in recent:
                unexpected = sum(not one.is_expected for one in recent.values())
                if not is_expected and unexpected >= UNEXPECTED_URLS_A_MINUTE:
                    raise Unverified(Reason.TOO_MANY_DOWNLOADS)
                recent[target] = _Outcome(now, is_expected)
            self._outcomes = recent
            return recent[target]

    def _try_fetch(self, target: Target, seconds: float) -> bytes | None:
        if seconds <= 0:
            return None
        try:
            return self._fetch(target, seconds)
        except (Unavailable, OSError):
            return None


class CertificateCache:
    """The dispatcher's certificates that this instance of the app has fetched and verified."""

    def __init__(self, chains: ChainVerifier, downloads: LimitedDownloads, clock: Clock) -> None:
        """`clock` returns the time now, UTC. The cache starts empty."""
        self._chains, self._downloads, self._clock = chains, downloads, clock
        self._lock = threading.Lock()
        self._trusted: OrderedDict[Target, tuple[TrustedCertificate, ...]] = OrderedDict()
        self._verdicts: OrderedDict[tuple[Target, bytes], tuple[datetime, TrustedCertificate | Reason]] = OrderedDict()

    def current_certificates(self, target: Target) -> Sequence[TrustedCertificate]:
        """The valid certificates kept for this URL, newest first; fetched if there are none. Raises Unverified."""
        now = self._clock()
        with self._lock:
            valid = tuple(one for one in self._trusted.get(target, ()) if one.is_valid_at(now))
        return valid or (self._fetch_and_verify(target),)

    def renewed_certificates(self, target: Target, tried: Sequence[TrustedCertificate]) -> Sequence[TrustedCertificate]:
        """The certificate at the URL now, unless it was tried already: certificates are renewed behind a stable URL.

        If the fetch or the verification fails, the cache stays as it is, and the result is empty.
        """
        try:
            fresh = self._fetch_and_verify(target)
        except Unverified:
            return ()
        return () if fresh.sha256 in {one.sha256 for one in tried} else (fresh,)

    def _fetch_and_verify(self, target: Target) -> TrustedCertificate:
        deadline = time.monotonic() + TOTAL_SECONDS
        is_expected = target.path == f"/cert/{self._chains.name}.cer"

        def follow(above: Target) -> bytes:
            return self._downloads.fetch(above, deadline - time.monotonic(), is_expected=is_expected)

        trusted = self._verify_once(target, follow(target), follow)
        self._keep_trusted(target, trusted)
        return trusted

    def _verify_once(self, target: Target, data: bytes, follow: Callable[[Target], bytes]) -> TrustedCertificate:
        """Verify the same bytes once: a good verdict holds while the chain is valid, a bad one for a minute.

        A verdict belongs to the URL, too: at an unexpected URL a copy of a good certificate may fail because the budget
        for its issuers is spent.
        """
        key, now = (target, hashlib.sha256(data).digest()), self._clock()
        with self._lock:
            at, verdict = self._verdicts.get(key, (now, None))
        if isinstance(verdict, TrustedCertificate) and verdict.is_valid_at(now):
            return verdict
        if isinstance(verdict, Reason) and abs(now - at) < FETCH_AGAIN_AFTER:
            raise Unverified(verdict)
        try:
            trusted = self._chains.verify(data, now, follow)
        except Unverified as refused:
            self._remember_verdict(key, now, refused.reason)
            raise
        self._remember_verdict(key, now, trusted)
        return trusted

    def _remember_verdict(self, key: tuple[Target, bytes], now: datetime, verdict: TrustedCertificate | Reason) -> None:
        with self._lock:
            self._verdicts[key] = (now, verdict)
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > MAX_VERDICTS:
                self._verdicts.popitem(last=False)

    def _keep_trusted(self, target: Target, trusted: TrustedCertificate) -> None:
        """Keep the previous certificate, too: events signed just before a renewal may still arrive."""
        with self._lock:
            others = [one for one in self._trusted.get(target, ()) if one.sha256 != trusted.sha256]
            self._trusted[target] = (trusted, *others)[:MAX_PER_URL]
            self._trusted.move_to_end(target)
            while len(self._trusted) > MAX_URLS:
                self._trusted.popitem(last=False)


class DeliveredCertificates:
    """Offline: the certificates that were delivered with the deployment, for every URL. Nothing is ever fetched."""

    def __init__(self, chains: ChainVerifier, certificates: Sequence[bytes], clock: Clock) -> None:
        """`certificates` are the leaves in DER; `clock` returns the time now, UTC."""
        self._chains, self._certificates, self._clock = chains, certificates, clock

    def current_certificates(self, _target: Target) -> Sequence[TrustedCertificate]:
        """The certificates that are valid now. Raises Unverified if there are none."""
        trusted: list[TrustedCertificate] = []
        reason = Reason.CERTIFICATE_CHAIN
        for data in self._certificates:
            try:
                trusted.append(self._chains.verify(data, self._clock(), None))
            except Unverified as refused:
                reason = refused.reason
        if not trusted:
            raise Unverified(reason)
        return trusted

    def renewed_certificates(
        self, _target: Target, _tried: Sequence[TrustedCertificate]
    ) -> Sequence[TrustedCertificate]:
        """Nothing: a renewed certificate is delivered with the next deployment."""
        return ()
