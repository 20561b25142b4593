"""The app of one process on the emulated systems, with their clocks in place of the machine's.

Settings, triggers, rules, clients, sign-in and store are those of the product. Requests to the two services reach their
emulators without a socket, because a day has thousands of them; those to sign-in and vault use one.
"""

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from functools import cached_property

import requests

from emulators.base.clock import EmulatedClock
from emulators.base.server import Request, Response
from local.in_process_transport import EmulatorAdapter, EmulatorService, EmulatorSession, RequestHandler
from local.systems import Systems
from shared.app import App
from shared.clients.partner_center.referrals import Referrals
from shared.clients.partner_center.sign_in import PartnerCenterSignIn
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import ApiConnection
from shared.clients.salesforce.sign_in import Identity, SignIn
from shared.foundation.clock import SystemClock
from shared.foundation.logs import log
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.sync.ports import Context
from shared.transport.client import open_client

CALL_SECONDS = 0.2
"""A call of a service takes so long."""


def clocks_of(systems: Systems) -> list[EmulatedClock]:
    """The clocks that show the virtual time.

    The managed identity has the machine's, by which Azure's library knows how long it may keep a token.
    """
    return [each.clock for each in systems.emulators_by_name.values() if each is not systems.identity]


def move_clocks(systems: Systems, seconds: float) -> None:
    """Let time pass on every emulated system."""
    for clock in clocks_of(systems):
        clock.advance(seconds)


def timed(systems: Systems, handle: RequestHandler) -> RequestHandler:
    """The emulator with the time that a call takes."""

    def answer(request: Request) -> Response:
        move_clocks(systems, CALL_SECONDS)
        return handle(request)

    return answer


class _Clock(SystemClock):
    def __init__(self, now: Callable[[], datetime], wait: Callable[[float], None]) -> None:
        super().__init__(now)
        self._wait = wait

    def sleep(self, duration: timedelta) -> None:
        self._wait(duration.total_seconds())


class VirtualApp(App):
    """The app. Several of them can share `rows`, one after the other."""

    def __init__(self, systems: Systems, rows: SqliteRows) -> None:
        super().__init__()
        self._systems, self._shared_rows = systems, rows
        self.clock = _Clock(systems.salesforce.clock.now, lambda seconds: move_clocks(systems, seconds))

    def seconds(self) -> float:
        """The time in seconds."""
        return self.clock.now().timestamp()

    @property
    def rows(self) -> SqliteRows:
        """The rows of the store."""
        return self._shared_rows

    @cached_property
    def store(self) -> LinkStore:
        """The store, which knows by the virtual time how old a pause is."""
        return LinkStore(self.rows, self.seconds)

    @cached_property
    def partner_center(self) -> Referrals:
        """The referrals API, signed in."""
        url = self.settings.partner_center.url
        service = EmulatorService(timed(self._systems, self._systems.partner_center.handle), url)
        pace = self.paces.of("partner_center")
        return Referrals(url, self.sign_in.token, service=service, clock=self.seconds, pace=pace)

    def _made_context(self) -> Context:
        """The context, in which each wait between two tries is about as long as it may be."""
        return replace(super()._made_context(), chance=lambda: 0.99)

    def _open_sign_in(self, scope: str) -> PartnerCenterSignIn:
        http = self._opened.enter_context(open_client(self.settings.vault.ca_bundle))
        return PartnerCenterSignIn(self.vault, self.registration(scope), http=http, log=log, clock=self.seconds)

    @cached_property
    def salesforce(self) -> SalesforceClient:
        """The REST API, signed in."""
        settings, clock = self.settings.salesforce, self.seconds
        handle = timed(self._systems, self._systems.salesforce.handle)
        identity = Identity(settings.url, settings.client_id, settings.username, settings.key_secret, settings.audience)
        session = self._opened.enter_context(requests.Session())
        session.mount("https://", EmulatorAdapter(handle))
        sign_in = SignIn(identity, self.vault, session, now=self.clock.now, monotonic=clock)
        return SalesforceClient(
            ApiConnection(
                sign_in, EmulatorSession(handle), version=settings.api_version,
                seconds=self.settings.sync.deadline_seconds, now=self.clock.now, monotonic=clock,
                pace=self.paces.of("salesforce"),
            )
        )  # fmt: skip
