"""How often certificates are fetched, how long they are kept, and what a flood of events can cause."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.foundation.errors import Unavailable
from shared.webhook.admission import EventAdmission
from shared.webhook.certificate_origins import Target
from shared.webhook.refusals import Reason, Refusal, Verified
from tests.unit.webhook.conftest import BODY, FakeCertificateHost, ManualClock, signed_headers
from tests.unit.webhook.throwaway_chain import (
    CERTIFICATE_URL,
    HOST,
    INTERMEDIATE_URL,
    NOW,
    CertificateSpec,
    Chain,
    Identity,
    issue,
    rsa_key,
)

MakeAdmission = Callable[..., EventAdmission]


def event_refusal(admission: EventAdmission, signer: Identity, url: str = CERTIFICATE_URL) -> Reason | None:
    """Send one event; the reason of its refusal, or None if it was admitted."""
    answer = admission.check(signed_headers(signer, BODY, url), BODY)
    return answer.reason if isinstance(answer, Refusal) else None


@pytest.fixture
def forged_identity(chain: Chain) -> Identity:
    return issue(CertificateSpec(key=rsa_key("foreign")), chain.intermediate)


@pytest.fixture
def renewed_identity(chain: Chain) -> Identity:
    spec = CertificateSpec(key=rsa_key("renewed"), not_after=NOW + timedelta(days=700), issuer_url=INTERMEDIATE_URL)
    return issue(spec, chain.intermediate)


def test_a_thousand_good_events_cost_one_fetch(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    headers = signed_headers(chain.leaf, BODY)
    assert all(isinstance(admission.check(headers, BODY), Verified) for _ in range(1000))
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]


def test_a_certificate_is_kept_until_its_chain_expires(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock, renewed_identity: Identity
) -> None:
    assert event_refusal(admission, chain.leaf) is None
    clock.advance(days=334)
    assert event_refusal(admission, chain.leaf) is None
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]
    clock.advance(days=2)
    assert event_refusal(admission, chain.leaf) is Reason.CERTIFICATE_NOT_VALID_NOW
    host.files[CERTIFICATE_URL] = renewed_identity.der
    clock.advance(seconds=61)
    assert event_refusal(admission, renewed_identity) is None


def test_a_renewal_behind_the_same_url_is_found_with_the_first_event_it_signed(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock, renewed_identity: Identity
) -> None:
    assert event_refusal(admission, chain.leaf) is None
    clock.advance(minutes=2)
    host.files[CERTIFICATE_URL] = renewed_identity.der
    assert event_refusal(admission, renewed_identity) is None
    assert event_refusal(admission, chain.leaf) is None, "an event signed just before the renewal may still arrive"
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL, CERTIFICATE_URL], "the intermediate is kept"


def test_forged_events_cause_at_most_one_fetch_a_minute(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock, forged_identity: Identity
) -> None:
    assert event_refusal(admission, chain.leaf) is None
    for _ in range(3):
        clock.advance(seconds=61)
        assert {event_refusal(admission, forged_identity) for _ in range(50)} == {Reason.SIGNATURE_WRONG}
    assert host.asked.count(CERTIFICATE_URL) == 4
    assert event_refusal(admission, chain.leaf) is None


def test_a_failed_renewal_keeps_the_previous_certificate(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock, forged_identity: Identity
) -> None:
    assert event_refusal(admission, chain.leaf) is None
    for file in (
        b"<html>gone</html>",
        issue(CertificateSpec(alternative_names=("x.test",)), chain.intermediate).der,
    ):
        clock.advance(minutes=2)
        host.files[CERTIFICATE_URL] = file
        assert event_refusal(admission, forged_identity) is Reason.SIGNATURE_WRONG
        assert event_refusal(admission, chain.leaf) is None


def test_a_host_that_is_down_is_asked_once_a_minute(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock
) -> None:
    leaf = host.files.pop(CERTIFICATE_URL)
    assert {event_refusal(admission, chain.leaf) for _ in range(20)} == {Reason.CERTIFICATE_UNAVAILABLE}
    assert host.asked == [CERTIFICATE_URL]
    host.files[CERTIFICATE_URL] = leaf
    clock.advance(seconds=59)
    assert event_refusal(admission, chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
    clock.advance(seconds=2)
    assert event_refusal(admission, chain.leaf) is None


def test_a_bad_certificate_is_remembered_for_a_minute(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock
) -> None:
    good = host.files[INTERMEDIATE_URL]
    host.files[INTERMEDIATE_URL] = b"junk"
    assert {event_refusal(admission, chain.leaf) for _ in range(5)} == {Reason.CERTIFICATE_CHAIN}
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]
    host.files[INTERMEDIATE_URL] = good
    clock.advance(minutes=2)
    assert event_refusal(admission, chain.leaf) is None


def test_a_clock_that_is_set_back_does_not_stop_downloads(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock
) -> None:
    leaf = host.files.pop(CERTIFICATE_URL)
    assert event_refusal(admission, chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
    host.files[CERTIFICATE_URL] = leaf
    clock.advance(hours=-5)
    assert event_refusal(admission, chain.leaf) is None


def test_a_flood_of_other_urls_uses_up_a_small_budget_only(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock
) -> None:
    reasons = [event_refusal(admission, chain.leaf, f"https://{HOST}/cert/{number}.cer") for number in range(500)]
    assert reasons == [Reason.CERTIFICATE_UNAVAILABLE] * 6 + [Reason.TOO_MANY_DOWNLOADS] * 494
    assert len(host.asked) == 6
    assert event_refusal(admission, chain.leaf) is None
    clock.advance(minutes=2)
    assert event_refusal(admission, chain.leaf, f"https://{HOST}/cert/501.cer") is Reason.CERTIFICATE_UNAVAILABLE


def test_an_event_that_names_the_issuers_file_does_not_block_the_dispatcher(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    assert event_refusal(admission, chain.leaf, INTERMEDIATE_URL) is Reason.CERTIFICATE_NAME
    assert event_refusal(admission, chain.leaf) is None
    assert host.asked == [INTERMEDIATE_URL, CERTIFICATE_URL]


def test_a_copy_refused_for_its_budget_does_not_affect_the_original(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    copy = f"https://{HOST}/cert/copy.cer"
    host.files[copy] = chain.leaf.der
    for number in range(5):
        event_refusal(admission, chain.leaf, f"https://{HOST}/cert/{number}.cer")
    assert event_refusal(admission, chain.leaf, copy) is Reason.CERTIFICATE_CHAIN
    assert event_refusal(admission, chain.leaf) is None


def test_the_dispatcher_may_move_its_certificate_to_another_file(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost
) -> None:
    elsewhere = f"https://{HOST}/cert/2027.cer"
    host.files[elsewhere] = host.files.pop(CERTIFICATE_URL)
    assert event_refusal(admission, chain.leaf, elsewhere) is None


def test_the_cache_is_bounded(
    admission: EventAdmission, chain: Chain, host: FakeCertificateHost, clock: ManualClock
) -> None:
    for number in range(40):
        url = f"https://{HOST}/cert/{number}.cer"
        host.files[url] = chain.leaf.der
        assert event_refusal(admission, chain.leaf, url) is None
        clock.advance(seconds=61)
    kept = admission.verifier._certificates
    assert len(kept._trusted) == 16  # type: ignore[attr-defined]  # reads a private attribute
    assert len(kept._downloads._outcomes) <= 2  # type: ignore[attr-defined]  # reads a private attribute
    for number in range(70):
        host.files[CERTIFICATE_URL] = str(number).encode()
        assert event_refusal(admission, issue(CertificateSpec(key=rsa_key("foreign")), chain.intermediate)) is not None
        clock.advance(seconds=61)
    assert len(kept._verdicts) == 64  # type: ignore[attr-defined]  # reads a private attribute


def test_many_threads_share_one_fetch(make_admission: MakeAdmission, chain: Chain, host: FakeCertificateHost) -> None:
    gate, results = threading.Event(), []

    def slow(target: Target, seconds: float) -> bytes:
        gate.wait(60)
        return host(target, seconds)

    admission = make_admission(fetch=slow)
    threads = [threading.Thread(target=lambda: results.append(event_refusal(admission, chain.leaf))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(60)
    assert results == [None] * 8
    assert sorted(host.asked) == sorted([CERTIFICATE_URL, INTERMEDIATE_URL])


def test_a_fetch_with_an_unexpected_error_counts_as_the_fetch_of_the_minute(
    make_admission: MakeAdmission, chain: Chain
) -> None:
    asked: list[Target] = []

    def fail(target: Target, _seconds: float) -> bytes:
        asked.append(target)
        raise RuntimeError

    admission = make_admission(fetch=fail)
    assert [event_refusal(admission, chain.leaf) for _ in range(3)] == [Reason.DEFECT] + [
        Reason.CERTIFICATE_UNAVAILABLE
    ] * 2
    assert len(asked) == 1


def test_the_issuers_share_the_five_seconds_of_their_leaf(
    make_admission: MakeAdmission, chain: Chain, host: FakeCertificateHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("shared.webhook.certificate_cache.time.monotonic", lambda: now[0])

    def slow(target: Target, seconds: float) -> bytes:
        now[0] += 5.1
        return host(target, seconds)

    assert event_refusal(make_admission(fetch=slow), chain.leaf) is Reason.CERTIFICATE_CHAIN
    assert host.asked == [CERTIFICATE_URL]


def test_a_timeout_of_the_operating_system_is_not_a_defect(make_admission: MakeAdmission, chain: Chain) -> None:
    for error in (TimeoutError(), ConnectionResetError(), Unavailable("x")):

        def fetch(_target: Target, _seconds: float, failure: Exception = error) -> bytes:
            raise failure

        assert event_refusal(make_admission(fetch=fetch), chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
