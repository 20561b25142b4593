"""Send generated requests to the admission: none raises, none connects elsewhere, none is admitted unsigned.

HOSTILE_EVENTS sets how many are generated (default 500), HOSTILE_SEED sets the seed.
"""

import base64
import os
import random
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.foundation.errors import Unavailable
from shared.webhook.admission import EventAdmission
from shared.webhook.certificate_download import Connect, PinnedDownload
from shared.webhook.certificate_origins import LEAF_PATH, AllowList, Origin
from shared.webhook.events import ArrivedTestEvent, Event, NotUnderstood, parse_event
from shared.webhook.refusals import Reason, Refusal, Verified
from shared.webhook.signature import open_verifier
from tests.hostile.conftest import PUBLIC, RefusingNetwork, UnreliableHost
from tests.hostile.generated_requests import generate_request
from tests.hostile.request_drafts import RequestDraft
from tests.unit.webhook.throwaway_chain import HOST, NOW, good_chain

COUNT = int(os.environ.get("HOSTILE_EVENTS", "500"))
SEED = int(os.environ.get("HOSTILE_SEED", "20260304"))

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

pytestmark = pytest.mark.timeout(300)


class AdvancingClock:
    """Advances by up to twenty seconds at each call, so that fetches become allowed again and again."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._now = chance, NOW

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=self._chance.random() * 20)
        return self._now


def make_admission(chance: random.Random, fetch: UnreliableHost | PinnedDownload) -> EventAdmission:
    return EventAdmission(
        open_verifier(extra_roots_pem=good_chain().root.pem, clock=AdvancingClock(chance), fetch=fetch)
    )


def assert_signed_by_dispatcher(draft: RequestDraft, answer: Verified) -> None:
    """Check by independent code that the genuine key signed exactly these bytes."""
    fields = {name.lower(): value for name, value in draft.headers}
    assert len({n.lower() for n, _ in draft.headers} & {"x-ms-certificate-url", "x-ms-signature-algorithm"}) == 2
    text = re.sub(r"(?i)^signature\s+", "", fields.get("x-ms-signature", fields.get("authorization", "")).strip())
    key = good_chain().leaf.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(text), draft.body, padding.PKCS1v15(), hashes.SHA256())
    assert answer.certificate_sha256 == good_chain().leaf.certificate.fingerprint(hashes.SHA256()).hex()


def check_and_assert(admission: EventAdmission, draft: RequestDraft) -> Verified | Refusal:
    """The answer to one request, after checking what must be true of every answer."""
    answer = admission.check(draft.headers, draft.body)
    if isinstance(answer, Verified):
        assert_signed_by_dispatcher(draft, answer)
    else:
        assert answer.reason is not Reason.DEFECT, answer.defect
        assert answer.status == {Reason.BODY_TOO_LARGE: 413, Reason.CONTENT_TYPE: 415}.get(answer.reason, 401)
    event = parse_event(draft.body)
    assert isinstance(event, ArrivedTestEvent | NotUnderstood) or GUID.fullmatch(event.referral_id)
    return answer


def summary_line(answers: Counter[str], what: str) -> str:
    return f"{what}, seed {SEED}: " + ", ".join(f"{name} {count}" for name, count in answers.most_common())


def test_of_the_generated_requests_exactly_the_signed_ones_are_admitted(
    socket_calls: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    chance, answers = random.Random(SEED), Counter[str]()  # noqa: S311 - reproducible from its seed
    host = UnreliableHost(chance, good_share=1.0)
    admission = make_admission(chance, host)
    assert isinstance(check_and_assert(admission, RequestDraft.signed()), Verified)
    host.good_share = 0.5  # the genuine certificate is kept, whatever the host serves from now on
    understood = 0
    for number in range(COUNT):
        draft = generate_request(chance)
        answer = check_and_assert(admission, draft)
        assert isinstance(answer, Verified) or not draft.is_genuine, f"seed {SEED}, request {number}: {answer}"
        answers["admitted" if isinstance(answer, Verified) else answer.reason.value] += 1
        understood += isinstance(answer, Verified) and isinstance(parse_event(draft.body), Event)
    with capsys.disabled():
        print(f"\nhostile events: {summary_line(answers, str(COUNT))}; understood {understood}")  # noqa: T201 - the seed, so that the run can be repeated
    assert 0 < understood < answers["admitted"] < COUNT / 2, "genuine, unusable and forged requests all occur"
    assert len(answers) > 12, "most reasons for a refusal occur"
    assert {url.split("/")[2] for url in host.asked} == {HOST}
    assert socket_calls == []


def test_nothing_is_admitted_while_the_host_serves_forgeries(socket_calls: list[str]) -> None:
    chance = random.Random(SEED + 1)  # noqa: S311 - reproducible from its seed
    host = UnreliableHost(chance, good_share=0.0)
    admission = make_admission(chance, host)
    for number in range(COUNT):
        draft = generate_request(chance) if number % 3 else RequestDraft.signed()
        answer = check_and_assert(make_admission(chance, host) if number % 25 == 0 else admission, draft)
        assert isinstance(answer, Refusal), f"seed {SEED}, request {number}"
    assert {url.split("/")[2] for url in host.asked} == {HOST}
    assert socket_calls == []


def test_the_real_download_connects_only_to_the_allowed_host(socket_calls: list[str]) -> None:
    chance, network = random.Random(SEED + 2), RefusingNetwork()  # noqa: S311 - reproducible from its seed
    admission = make_admission(
        chance, PinnedDownload(resolve=network.resolve, connect=cast("Connect", network.connect))
    )
    for _ in range(COUNT):
        assert isinstance(check_and_assert(admission, generate_request(chance)), Refusal)
    assert set(network.resolved) == {(HOST, 443)}
    assert set(network.opened) == {(PUBLIC, 443)}
    assert socket_calls == []


def test_the_audit_hook_sees_a_connection(socket_calls: list[str]) -> None:
    """The tests above prove something only if the hook records socket calls."""
    unused_port = AllowList((Origin("https", "127.0.0.1", 1),), LEAF_PATH).parse_url("https://127.0.0.1:1/cert/a.cer")
    with pytest.raises(Unavailable):
        PinnedDownload()(unused_port)
    assert "socket.connect" in socket_calls
