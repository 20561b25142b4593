"""Certificates by URL and fingerprint: fetched at most once a minute each, kept for as long as their chain is valid.

Anyone may send events, and so choose the URL among those allowed. A flood must neither make us a client of that host
nor push the dispatcher's own certificate out: URLs that are not the expected one (`/cert/NAME.cer`) share a small
purse, and only certificates that were found good are kept (examples-to-follow.md B3, control 7).
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from shared.foundation.errors import Unavailable
from shared.webhook.certificate_chain import ChainJudge, Trusted
from shared.webhook.certificate_origins import Target
from shared.webhook.refusals import Reason, Unverified

FETCH_AGAIN_AFTER = timedelta(minutes=1)
STRANGERS_A_MINUTE = 6
TOTAL_SECONDS = 5.0
MAX_URLS = 16
MAX_PER_URL = 2
MAX_JUDGED = 64

type Fetch = Callable[[Target, float], bytes]
type Clock = Callable[[], datetime]


class _Outcome(Struct):
    """One fetch: who comes while it runs waits for it, who comes within the minute is told the same."""

    at: datetime
    stranger: bool
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    body: bytes | None = None


class Downloads:
    """Remembers every fetch for a minute, failures too."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        """`fetch` raises Unavailable."""
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._outcomes: dict[Target, _Outcome] = {}

    def get(self, target: Target, seconds: float, *, stranger: bool) -> bytes:
        """The body at `target`, not older than a minute. Raises Unverified."""
        outcome = self._outcome(target, stranger=stranger)
        with outcome.lock:
            if not outcome.done:
                outcome.done = True  # first: whatever happens, this was the minute's one fetch
                outcome.body = self._try(target, seconds)
        if outcome.body is None:
            raise Unverified(Reason.CERTIFICATE_UNAVAILABLE)
        return outcome.body

    def _outcome(self, target: Target, *, stranger: bool) -> _Outcome:
        with self._lock:
            now = self._clock()
            # A clock that was set back must not keep an outcome for ever: abs().
            recent = {url: one for url, one in self._outcomes.items() if abs(now - one.at) < FETCH_AGAIN_AFTER}
            if target not in recent:
                if stranger and sum(one.stranger for one in recent.values()) >= STRANGERS_A_MINUTE:
                    raise Unverified(Reason.TOO_MANY_DOWNLOADS)
                recent[target] = _Outcome(now, stranger)
            self._outcomes = recent
            return recent[target]

    def _try(self, target: Target, seconds: float) -> bytes | None:
        if seconds <= 0:
            return None
        try:
            return self._fetch(target, seconds)
        except (Unavailable, OSError):
            return None


class Certificates:
    """The dispatcher's certificates, as one instance of the app knows them."""

    def __init__(self, judge: ChainJudge, downloads: Downloads, clock: Clock) -> None:
        """Know nothing yet."""
        self._judge, self._downloads, self._clock = judge, downloads, clock
        self._lock = threading.Lock()
        self._good: OrderedDict[Target, tuple[Trusted, ...]] = OrderedDict()
        self._judged: OrderedDict[tuple[Target, bytes], tuple[datetime, Trusted | Reason]] = OrderedDict()

    def known(self, target: Target) -> Sequence[Trusted]:
        """What is kept for this URL, newest first; fetched if nothing is. Raises Unverified."""
        now = self._clock()
        with self._lock:
            valid = tuple(one for one in self._good.get(target, ()) if one.good_at(now))
        return valid or (self._fetched(target),)

    def renewed(self, target: Target, tried: Sequence[Trusted]) -> Sequence[Trusted]:
        """What lies at the URL now, unless it was tried: a certificate is renewed behind a stable URL.

        Whatever goes wrong here changes nothing: what is kept stays kept.
        """
        try:
            fresh = self._fetched(target)
        except Unverified:
            return ()
        return () if fresh.sha256 in {one.sha256 for one in tried} else (fresh,)

    def _fetched(self, target: Target) -> Trusted:
        deadline = time.monotonic() + TOTAL_SECONDS
        stranger = target.path != f"/cert/{self._judge.name}.cer"

        def follow(above: Target) -> bytes:
            return self._downloads.get(above, deadline - time.monotonic(), stranger=stranger)

        trusted = self._judge_once(target, follow(target), follow)
        self._keep(target, trusted)
        return trusted

    def _judge_once(self, target: Target, data: bytes, follow: Callable[[Target], bytes]) -> Trusted:
        """Judge the same bytes once: a good verdict holds while the chain does, a bad one for a minute.

        A verdict belongs to the URL as well: a stranger's copy of a good certificate may fail for want of purse.
        """
        key, now = (target, hashlib.sha256(data).digest()), self._clock()
        with self._lock:
            at, verdict = self._judged.get(key, (now, None))
        if isinstance(verdict, Trusted) and verdict.good_at(now):
            return verdict
        if isinstance(verdict, Reason) and abs(now - at) < FETCH_AGAIN_AFTER:
            raise Unverified(verdict)
        try:
            trusted = self._judge.judge(data, now, follow)
        except Unverified as bad:
            self._note(key, now, bad.reason)
            raise
        self._note(key, now, trusted)
        return trusted

    def _note(self, key: tuple[Target, bytes], now: datetime, verdict: Trusted | Reason) -> None:
        with self._lock:
            self._judged[key] = (now, verdict)
            self._judged.move_to_end(key)
            while len(self._judged) > MAX_JUDGED:
                self._judged.popitem(last=False)

    def _keep(self, target: Target, trusted: Trusted) -> None:
        """Keep the one before as well: events signed just before a renewal are still on their way."""
        with self._lock:
            others = [one for one in self._good.get(target, ()) if one.sha256 != trusted.sha256]
            self._good[target] = (trusted, *others)[:MAX_PER_URL]
            self._good.move_to_end(target)
            while len(self._good) > MAX_URLS:
                self._good.popitem(last=False)


class DeliveredCertificates:
    """Offline: certificates that came with the deployment, whatever the URL; nothing is ever fetched."""

    def __init__(self, judge: ChainJudge, certificates: Sequence[bytes], clock: Clock) -> None:
        """`certificates` are leaves, DER."""
        self._judge, self._certificates, self._clock = judge, certificates, clock

    def known(self, _target: Target) -> Sequence[Trusted]:
        """Those that are valid now. Raises Unverified if none is."""
        good: list[Trusted] = []
        reason = Reason.CERTIFICATE_CHAIN
        for data in self._certificates:
            try:
                good.append(self._judge.judge(data, self._clock(), None))
            except Unverified as bad:
                reason = bad.reason
        if not good:
            raise Unverified(reason)
        return good

    def renewed(self, _target: Target, _tried: Sequence[Trusted]) -> Sequence[Trusted]:
        """Nothing: a renewal comes with a deployment."""
        return ()
