"""How often certificates are fetched, how long they are kept, and what a flood can do."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.foundation.errors import Unavailable
from shared.webhook.certificate_origins import Target
from shared.webhook.signature import EventDoor, Reason, Refusal, Verified
from tests.unit.webhook.chain import (
    CERTIFICATE_URL,
    HOST,
    INTERMEDIATE_URL,
    NOW,
    Chain,
    Identity,
    Wanted,
    issue,
    rsa_key,
)
from tests.unit.webhook.conftest import BODY, CertificateHost, HandClock, signed_headers

MakeDoor = Callable[..., EventDoor]


def arrives(door: EventDoor, signer: Identity, url: str = CERTIFICATE_URL) -> Reason | None:
    """One event; the reason of its refusal, None if it was let in."""
    answer = door.check(signed_headers(signer, BODY, url), BODY)
    return answer.reason if isinstance(answer, Refusal) else None


@pytest.fixture
def forger(chain: Chain) -> Identity:
    return issue(Wanted(key=rsa_key("foreign")), chain.intermediate)


@pytest.fixture
def renewed(chain: Chain) -> Identity:
    wanted = Wanted(key=rsa_key("renewed"), not_after=NOW + timedelta(days=700), issuer_url=INTERMEDIATE_URL)
    return issue(wanted, chain.intermediate)


def test_a_thousand_good_events_cost_one_fetch(door: EventDoor, chain: Chain, host: CertificateHost) -> None:
    headers = signed_headers(chain.leaf, BODY)
    assert all(isinstance(door.check(headers, BODY), Verified) for _ in range(1000))
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]


def test_a_certificate_is_kept_until_its_chain_expires(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock, renewed: Identity
) -> None:
    assert arrives(door, chain.leaf) is None
    clock.advance(days=334)
    assert arrives(door, chain.leaf) is None
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]
    clock.advance(days=2)
    assert arrives(door, chain.leaf) is Reason.CERTIFICATE_NOT_VALID_NOW
    host.files[CERTIFICATE_URL] = renewed.der
    clock.advance(seconds=61)
    assert arrives(door, renewed) is None


def test_a_renewal_behind_the_same_url_is_found_by_the_first_event_it_signs(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock, renewed: Identity
) -> None:
    assert arrives(door, chain.leaf) is None
    clock.advance(minutes=2)
    host.files[CERTIFICATE_URL] = renewed.der
    assert arrives(door, renewed) is None
    assert arrives(door, chain.leaf) is None, "an event signed just before the renewal is still on its way"
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL, CERTIFICATE_URL], "the intermediate is known by now"


def test_forged_events_cause_at_most_one_fetch_a_minute(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock, forger: Identity
) -> None:
    assert arrives(door, chain.leaf) is None
    for _ in range(3):
        clock.advance(seconds=61)
        assert {arrives(door, forger) for _ in range(50)} == {Reason.SIGNATURE_WRONG}
    assert host.asked.count(CERTIFICATE_URL) == 4
    assert arrives(door, chain.leaf) is None


def test_a_failed_renewal_leaves_what_is_kept(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock, forger: Identity
) -> None:
    assert arrives(door, chain.leaf) is None
    for file in (b"<html>gone</html>", issue(Wanted(alternative_names=("x.test",)), chain.intermediate).der):
        clock.advance(minutes=2)
        host.files[CERTIFICATE_URL] = file
        assert arrives(door, forger) is Reason.SIGNATURE_WRONG
        assert arrives(door, chain.leaf) is None


def test_a_host_that_is_down_is_asked_once_a_minute(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock
) -> None:
    leaf = host.files.pop(CERTIFICATE_URL)
    assert {arrives(door, chain.leaf) for _ in range(20)} == {Reason.CERTIFICATE_UNAVAILABLE}
    assert host.asked == [CERTIFICATE_URL]
    host.files[CERTIFICATE_URL] = leaf
    clock.advance(seconds=59)
    assert arrives(door, chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
    clock.advance(seconds=2)
    assert arrives(door, chain.leaf) is None


def test_a_bad_certificate_is_remembered_for_a_minute(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock
) -> None:
    good = host.files[INTERMEDIATE_URL]
    host.files[INTERMEDIATE_URL] = b"junk"
    assert {arrives(door, chain.leaf) for _ in range(5)} == {Reason.CERTIFICATE_CHAIN}
    assert host.asked == [CERTIFICATE_URL, INTERMEDIATE_URL]
    host.files[INTERMEDIATE_URL] = good
    clock.advance(minutes=2)
    assert arrives(door, chain.leaf) is None


def test_a_clock_set_back_does_not_stop_the_fetching(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock
) -> None:
    leaf = host.files.pop(CERTIFICATE_URL)
    assert arrives(door, chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
    host.files[CERTIFICATE_URL] = leaf
    clock.advance(hours=-5)
    assert arrives(door, chain.leaf) is None


def test_a_flood_of_other_names_empties_a_small_purse_and_not_the_dispatchers(
    door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock
) -> None:
    reasons = [arrives(door, chain.leaf, f"https://{HOST}/cert/{number}.cer") for number in range(500)]
    assert reasons == [Reason.CERTIFICATE_UNAVAILABLE] * 6 + [Reason.TOO_MANY_DOWNLOADS] * 494
    assert len(host.asked) == 6
    assert arrives(door, chain.leaf) is None
    clock.advance(minutes=2)
    assert arrives(door, chain.leaf, f"https://{HOST}/cert/501.cer") is Reason.CERTIFICATE_UNAVAILABLE


def test_naming_the_issuers_file_as_the_certificate_does_not_shut_the_dispatcher_out(
    door: EventDoor, chain: Chain, host: CertificateHost
) -> None:
    assert arrives(door, chain.leaf, INTERMEDIATE_URL) is Reason.CERTIFICATE_NAME
    assert arrives(door, chain.leaf) is None
    assert host.asked == [INTERMEDIATE_URL, CERTIFICATE_URL]


def test_a_copy_that_fails_for_want_of_purse_does_not_condemn_the_original(
    door: EventDoor, chain: Chain, host: CertificateHost
) -> None:
    copy = f"https://{HOST}/cert/copy.cer"
    host.files[copy] = chain.leaf.der
    for number in range(5):
        arrives(door, chain.leaf, f"https://{HOST}/cert/{number}.cer")
    assert arrives(door, chain.leaf, copy) is Reason.CERTIFICATE_CHAIN
    assert arrives(door, chain.leaf) is None


def test_the_dispatcher_may_move_its_certificate_to_another_file(
    door: EventDoor, chain: Chain, host: CertificateHost
) -> None:
    elsewhere = f"https://{HOST}/cert/2027.cer"
    host.files[elsewhere] = host.files.pop(CERTIFICATE_URL)
    assert arrives(door, chain.leaf, elsewhere) is None


def test_what_is_kept_is_bounded(door: EventDoor, chain: Chain, host: CertificateHost, clock: HandClock) -> None:
    for number in range(40):
        url = f"https://{HOST}/cert/{number}.cer"
        host.files[url] = chain.leaf.der
        assert arrives(door, chain.leaf, url) is None
        clock.advance(seconds=61)
    kept = door._source
    assert len(kept._good) == 16  # type: ignore[attr-defined]  # looking inside
    assert len(kept._downloads._outcomes) <= 2  # type: ignore[attr-defined]  # looking inside
    for number in range(70):
        host.files[CERTIFICATE_URL] = str(number).encode()
        assert arrives(door, issue(Wanted(key=rsa_key("foreign")), chain.intermediate)) is not None
        clock.advance(seconds=61)
    assert len(kept._judged) == 64  # type: ignore[attr-defined]  # looking inside


def test_many_threads_share_one_fetch(make_door: MakeDoor, chain: Chain, host: CertificateHost) -> None:
    gate, results = threading.Event(), []

    def slow(target: Target, seconds: float) -> bytes:
        gate.wait(5)
        return host(target, seconds)

    door = make_door(fetch=slow)
    threads = [threading.Thread(target=lambda: results.append(arrives(door, chain.leaf))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(5)
    assert results == [None] * 8
    assert sorted(host.asked) == sorted([CERTIFICATE_URL, INTERMEDIATE_URL])


def test_a_fetch_that_breaks_unforeseen_still_counts_for_the_minute(make_door: MakeDoor, chain: Chain) -> None:
    asked: list[Target] = []

    def broken(target: Target, _seconds: float) -> bytes:
        asked.append(target)
        raise RuntimeError

    door = make_door(fetch=broken)
    assert [arrives(door, chain.leaf) for _ in range(3)] == [Reason.DEFECT] + [Reason.CERTIFICATE_UNAVAILABLE] * 2
    assert len(asked) == 1


def test_the_issuers_share_the_five_seconds_of_their_leaf(
    make_door: MakeDoor, chain: Chain, host: CertificateHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("shared.webhook.certificate_cache.time.monotonic", lambda: now[0])

    def slow(target: Target, seconds: float) -> bytes:
        now[0] += 5.1
        return host(target, seconds)

    assert arrives(make_door(fetch=slow), chain.leaf) is Reason.CERTIFICATE_CHAIN
    assert host.asked == [CERTIFICATE_URL]


def test_a_timeout_of_the_operating_system_is_no_defect(make_door: MakeDoor, chain: Chain) -> None:
    for broken in (TimeoutError(), ConnectionResetError(), Unavailable("x")):

        def fetch(_target: Target, _seconds: float, error: Exception = broken) -> bytes:
            raise error

        assert arrives(make_door(fetch=fetch), chain.leaf) is Reason.CERTIFICATE_UNAVAILABLE
