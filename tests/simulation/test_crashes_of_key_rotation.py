"""A process dies before and after each request while it rotates the keys of both sides; each time, another one goes on.

The commands and the daily run sign in for real here: requests travel through sockets, to emulators with TLS. What a
process may leave behind is the vault, the store and the certificate file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.adapters import HTTPAdapter

from local.systems import CONSUMER_KEY, USERNAME, Systems, start_systems
from shared.app import App
from shared.cli.connect_salesforce import KeyOptions, run_connect_salesforce
from shared.cli.environment import Environment
from shared.cli.output import Output
from shared.cli.self_signed_certificate import create_certificate
from shared.clients.salesforce.private_keys import private_keys_in
from shared.operations.credentials import renew_credentials
from shared.sync.runs import run_push
from shared.transport.client import DeadlineTransport
from tests.simulation.crash_places import Calls, Place
from tests.simulation.oracle import Left, judge
from tests.unit.sync.instances import Crash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEY, TOKEN = "salesforce-private-key", "partner-center-refresh-token"
FEWEST = 30


@dataclass
class Installation:
    """An installation whose keys are rotated: the systems, the folder of the certificate file, and the calls."""

    systems: Systems
    folder: Path
    calls: Calls = field(default_factory=Calls)

    def connect(self, *, rotate: bool = False, verify: bool = False) -> None:
        """Run `cosell connect salesforce`."""
        options = KeyOptions(rotate, verify)
        run_connect_salesforce(Environment("staging"), Output(as_json=True), options, self.folder)

    def upload(self) -> None:
        """The administrator replaces the certificate in Salesforce by the file that the command has written."""
        certificate = (self.folder / "salesforce-staging.crt").read_text(encoding="ascii")
        self.systems.salesforce.register_connected_app(CONSUMER_KEY, certificate, USERNAME)

    def renew(self) -> None:
        """The daily run redeems the refresh token and stores its successor."""
        with_app(lambda app: renew_credentials(app) or pytest.fail("the sign-in was refused"))

    def sign_in(self) -> None:
        """The app signs in to both sides, as the next run of the timer does. Raises SignInFailed."""
        with_app(lambda app: (app.salesforce.organization_id(), app.sign_in.token(force=True)))

    def stored(self, name: str) -> str:
        """The newest version of a secret."""
        return str(self.systems.vault.secret_store.find(name).latest.value)


type Step = Callable[[Installation], None]
STEPS: Sequence[Step] = (
    lambda one: one.connect(rotate=True),
    Installation.upload,
    lambda one: one.connect(verify=True),
    Installation.renew,
)


def with_app(use: Callable[[App], object]) -> None:
    """Use the app of a new process."""
    app = App()
    try:
        use(app)
    finally:
        app.close()


def die() -> None:
    """The process stops at once."""
    raise Crash


def take(one: Installation, step: Step) -> bool:
    """Take a step; where the process dies, the app signs in all the same, and another process takes the step again."""
    try:
        step(one)
    except Crash:
        one.calls.die = None
        one.sign_in()
        step(one)
        return False
    return True


def rotate(one: Installation, place: Place | None = None) -> None:
    """Rotate all keys, with a process that dies at a place, or without one. Fails if it does not die."""
    one.calls.place, one.calls.die = place, die
    outcomes = [take(one, step) for step in STEPS]
    one.calls.die = None
    assert all(outcomes) is (place is None), f"the process never came to {place}"


def findings(one: Installation, before: tuple[str, str]) -> Iterator[str]:
    """What is wrong after a rotation. A deal that is ticked then must arrive."""
    keys = private_keys_in(one.stored(KEY))
    if len(keys) != 1 or keys == private_keys_in(before[0]):
        yield f"expected: the vault holds {len(keys)} keys, and not only the new one"
    if one.stored(TOKEN) == before[1]:
        yield "expected: the vault holds a new refresh token"
    one.systems.seller_creates("A deal after the rotation")
    with_app(lambda app: run_push(app.context))
    records, partner_center = one.systems.salesforce.records, one.systems.partner_center
    deals = records("Opportunity"), partner_center.referrals()
    yield from judge(Left(*deals, records("Account"), records("Contact"), ()))


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with start_systems(tmp_path_factory.mktemp("systems")) as started:
        yield started


@pytest.fixture
def installation(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    certificates = cycle([create_certificate("cosell-staging", 365) for _ in range(3)])  # each takes a second to make
    monkeypatch.setattr("shared.cli.self_signed_certificate.create_certificate", lambda *_: next(certificates))
    monkeypatch.setattr("jwt.algorithms.load_pem_private_key", cache(load_pem_private_key))  # OpenSSL checks the primes
    for name, value in systems.environ.items():
        monkeypatch.setenv(name, value)
    one = Installation(systems, tmp_path)
    count_requests(one, monkeypatch)
    return one


def count_requests(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each request of the two libraries that send them be a call."""
    send, handle = HTTPAdapter.send, DeadlineTransport.handle_request

    def sent(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - those of the library
        name = f"{request.method} {request.path_url}"
        return call_and_close(one.calls, name, lambda: send(self, request, *args, **kwargs))

    def handled(self: DeadlineTransport, request: httpx.Request) -> httpx.Response:
        return call_and_close(one.calls, f"{request.method} {request.url.path}", lambda: handle(self, request))

    monkeypatch.setattr(HTTPAdapter, "send", sent)
    monkeypatch.setattr(DeadlineTransport, "handle_request", handled)


def call_and_close[T: (requests.Response, httpx.Response)](calls: Calls, name: str, call: Callable[[], T]) -> T:
    """Make a call; an answer that a dead process does not read is closed, as its end would."""
    answers: list[T] = []

    def kept() -> T:
        answers.append(call())
        return answers[0]

    try:
        return calls.make(name, kept)
    except Crash:
        for answer in answers:
            answer.close()
        raise


def begin(one: Installation, number: int, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Connect the installation anew, with an empty store. Returns the secrets before the rotation."""
    monkeypatch.setenv("STORE_FILE", str(one.folder / f"store-{number}.sqlite"))
    one.systems.reset()
    one.systems.vault.secret_store.put(KEY, {"value": "placeholder"})
    one.connect()
    one.upload()
    one.calls.names.clear()
    return one.stored(KEY), one.stored(TOKEN)


def test_a_process_that_dies_at_any_place_of_a_rotation_leaves_keys_that_work(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = begin(installation, 0, monkeypatch)
    rotate(installation)
    places = list(installation.calls.places)
    assert len(places) >= FEWEST, installation.calls.names
    found = list(findings(installation, before))
    for number, place in enumerate(places, 1):
        before = begin(installation, number, monkeypatch)
        rotate(installation, place)
        found += [f"died at {place}, {installation.calls.names[-1]}: {one}" for one in findings(installation, before)]
    assert found == []
