"""Wires settings, clients, store and mapping together, once per process, for the triggers and the command.

Importing this module is cheap. Each part is created at its first use: an event is admitted without Salesforce, and a
timer runs without the webhook. A module that is slow to import is imported where it is needed
(docs/reference/azure.md#cold-start).
"""

import gc
import random
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from contextvars import copy_context
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import certifi

from shared import __version__
from shared.foundation.clock import SystemClock
from shared.foundation.logs import log, quiet
from shared.settings.value_checks import seconds
from shared.settings.variables import Settings

if TYPE_CHECKING:
    from shared.clients.call_pace import Paces
    from shared.clients.key_vault.vault import Vault
    from shared.clients.partner_center.referrals import Referrals
    from shared.clients.partner_center.sign_in import AppRegistration, PartnerCenterSignIn
    from shared.clients.partner_center.webhook_registration import Webhooks
    from shared.clients.salesforce.org_shape import Org
    from shared.domain.own_organization import OwnOrganization
    from shared.mapping.translation import Translation
    from shared.store.link_store import LinkStore
    from shared.store.sqlite_rows import SqliteRows
    from shared.store.table_storage_rows import TableRows
    from shared.sync.ports import Context, Policy, Salesforce


HOME = Path(__file__).resolve().parent.parent
"""The app's folder. A relative `MAPPING` path starts here."""


class ThreadWorkers:
    """Parallel work in threads, because every port does blocking I/O."""

    def __init__(self, most: int) -> None:
        """`most` is the setting PARALLELISM: a map never has more threads."""
        self._most = most

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: Callable[[], int]) -> list[R]:
        """Apply `work` to each item, keeping the order."""
        listed, running, futures = list(items), set[Future[R]](), list[Future[R]]()
        with ThreadPoolExecutor(max(1, min(self._most, len(listed))), thread_name_prefix="cosell") as pool:
            for item in listed:
                while len(running) >= at_most():
                    running = wait(running, return_when=FIRST_COMPLETED).not_done
                # The worker library finds the invocation of a log line by a context variable, so each has a copy.
                futures.append(pool.submit(copy_context().run, work, item))
                running.add(futures[-1])
        return [future.result() for future in futures]


class App:
    """The connector of one process. Creating it checks every setting. Raises ConfigurationError."""

    def __init__(self, settings: Settings | None = None) -> None:
        """`settings` default to those of the environment."""
        quiet()
        self.settings = settings or Settings.load()
        self.translation: Translation = self._translation()
        self.clock = SystemClock()
        self._making = threading.Lock()
        self._local: Context | None = None
        self._ask_at = datetime.min.replace(tzinfo=UTC)
        self.previewed_at: datetime | None = None
        self._is_approved = False
        self._opened = ExitStack()

    def close(self) -> None:
        """Close files and connections; the app cannot be used afterwards."""
        self._opened.close()

    def _translation(self) -> "Translation":
        from shared.mapping.new_referral import ReferralConstants  # noqa: PLC0415 - late: costs a cold start
        from shared.mapping.schema import DEFAULT  # noqa: PLC0415 - as above
        from shared.mapping.translation import Translation  # noqa: PLC0415 - as above

        settings = self.settings.partner_center
        constants = ReferralConstants(
            settings.location, settings.qualification, settings.marketplace_intent, settings.referral_link,
            settings.consent_to_contact, settings.consent_to_share_with_others,
            settings.consent_to_contact_specific_partners,
        )  # fmt: skip
        chosen = self.settings.sync.mapping
        return Translation(constants, HOME / chosen if chosen else DEFAULT)

    @property
    def context(self) -> "Context":
        """The context of a run; the first use signs in to Salesforce and checks which organisation owns the store.

        One use in each hour asks the organisation for its shape. A failed sign-in pauses the side until the next probe.
        Raises ConfigurationError where environment or store must not be used with it, and the errors of the client.
        """
        ctx = self.local
        ctx = ctx if self.settings.sync.sync == "off" or self._knows_org(ctx) else self.ask_org()
        return ctx if self._is_approved else self._with_unapproved(ctx)

    def _with_unapproved(self, ctx: "Context") -> "Context":
        """The context that sends nothing of a field which nobody has approved; asked until all are approved."""
        from shared.sync.approved_fields import with_unapproved  # noqa: PLC0415 - late: a cold start

        ctx = with_unapproved(ctx)
        self._is_approved = self.settings.sync.sync == "on" and not ctx.policy.unapproved
        return ctx

    def _knows_org(self, ctx: "Context") -> bool:
        """Whether the answer is not an hour old, and Salesforce has refused no column since."""
        return ctx.clock.now() < self._ask_at and not ctx.salesforce.met_unknown_column

    def ask_org(self) -> "Context":
        """As `context`, in every mode."""
        from shared.domain.deal import Side  # noqa: PLC0415 - late: costs a cold start
        from shared.sync.retry_queue import is_paused, pausing_on_failure  # noqa: PLC0415 - as above

        ctx = self.local
        if is_paused(ctx, Side.SALESFORCE):  # the pause may end during the run, so it needs the former answer
            known = self.store.org_shape()
            return replace(ctx, translation=self.translation.for_org(known[0])) if known else ctx
        with self._making:
            if not self._knows_org(ctx):
                with pausing_on_failure(ctx, Side.SALESFORCE):
                    self._local = self._context_of_org(ctx)
        return self._local or ctx

    def _context_of_org(self, ctx: "Context") -> "Context":
        """Check that environment and store may be used with the organisation, and ask for its shape, hourly."""
        from shared.clients.salesforce.org_shape import known_shape  # noqa: PLC0415 - late: a cold start
        from shared.clients.salesforce.organization_check import check_organization  # noqa: PLC0415 - as above

        org, question = cast("Org", ctx.salesforce), self.translation.file.question
        check_organization(ctx.salesforce, self.store, self.own_organization)
        shape, self._ask_at = known_shape(org, self.store, question, ctx.clock.now, __version__)
        if shape != self.translation.org:
            self.translation = self.translation.for_org(shape)
        return replace(ctx, translation=self.translation)

    @property
    def local(self) -> "Context":
        """The same context without any call to either side, for work on the store alone."""
        with self._making:
            if self._local is None:
                self._local = self._made_context()
            return self._local

    def _made_context(self) -> "Context":
        from shared.domain.leads import Leads  # noqa: PLC0415 - late: costs a cold start
        from shared.domain.scope import Scope  # noqa: PLC0415 - as above
        from shared.sync.ports import Context  # noqa: PLC0415 - as above

        settings = self.settings
        ours = settings.partner_center.organization_id, settings.sync.tag, settings.sync.begin or self._first_start()
        scope = Scope(*ours, Leads(settings.sync.leads))
        return Context(
            self.partner_center, self.salesforce, self.store, self.translation, scope, self.clock,
            ThreadWorkers(self.paces.most), log, random.random, self._policy(), paces=self.paces,
        )  # fmt: skip

    def _policy(self) -> "Policy":
        from shared.sync.ports import Mode, Policy  # noqa: PLC0415 - late: costs a cold start

        settings = self.settings.sync
        return Policy(
            Mode(settings.sync),
            settings.paused,
            lease=seconds(settings.lease_seconds),
            settle_time=seconds(settings.settle_seconds),
            deadline=seconds(settings.deadline_seconds),
            irreversible_wait=seconds(settings.irreversible_wait_seconds),
            hold_win=Policy().hold_win if settings.hold_win else timedelta(),
            run_time=seconds(settings.run_seconds),
            may_share=self.settings.may_share,
            release=__version__,
            needs_consent=settings.customer_consent == "checkbox",
            mass_change_limit=self.settings.guards.mass_change_limit,
        )

    def _first_start(self) -> datetime:
        """The time of the first start with SYNC=on; the present time before that."""
        known = self.store.cursor("began")
        if known is None:
            known = self.clock.now()
            if self.settings.sync.sync == "on":
                self.store.move_cursor("began", known)
        return known

    @property
    def own_organization(self) -> "OwnOrganization":
        """What the settings say of the Salesforce organisation that this environment may use."""
        from shared.domain.own_organization import OwnOrganization  # noqa: PLC0415 - late: costs a cold start

        salesforce = self.settings.salesforce
        return OwnOrganization(self.settings.sync.tag, salesforce.url, salesforce.organization_id)

    @cached_property
    def paces(self) -> "Paces":
        """How many calls may go to each side at once: the clients learn it, for every run of this process."""
        from shared.clients.call_pace import Paces  # noqa: PLC0415 - late: costs a cold start

        return Paces(self.settings.sync.parallelism)

    @cached_property
    def vault(self) -> "Vault":
        """Key Vault."""
        from shared.clients.key_vault.vault import open_vault  # noqa: PLC0415 - late: costs a cold start

        settings = self.settings.vault
        return open_vault(
            settings.key_vault_url,
            client_id=settings.azure_client_id,
            ca_bundle=settings.ca_bundle or certifi.where(),
            timeout=self.settings.sync.deadline_seconds,
            keep=settings.vault_cache_seconds,
            credential=settings.azure_credential,
        )

    @cached_property
    def partner_center(self) -> "Referrals":
        """The referrals API, signed in."""
        from shared.clients.partner_center.referrals import open_referrals  # noqa: PLC0415 - late: costs a cold start

        settings, bundle = self.settings.partner_center, self.settings.vault.ca_bundle
        limit, may_share = self.settings.sync.deadline_seconds, self.settings.may_share
        token, pace = self.sign_in.token, self.paces.of("partner_center")
        referrals = open_referrals(
            settings.url, token, ca_bundle=bundle, deadline=limit, may_share=may_share, pace=pace
        )
        return self._opened.enter_context(closing(referrals))

    @cached_property
    def sign_in(self) -> "PartnerCenterSignIn":
        """Access tokens for the referrals API."""
        return self._open_sign_in(self.settings.partner_center.scope)

    def sign_in_to(self, scope: str) -> "PartnerCenterSignIn":
        """Access tokens of the integration account for another audience; all audiences share one refresh token."""
        return self.sign_in.for_audience(scope)

    def _open_sign_in(self, scope: str) -> "PartnerCenterSignIn":
        from shared.clients.partner_center.sign_in import PartnerCenterSignIn  # noqa: PLC0415 - late: a cold start
        from shared.transport.client import open_client  # noqa: PLC0415 - as above

        http = self._opened.enter_context(open_client(self.settings.vault.ca_bundle))
        return PartnerCenterSignIn(self.vault, self.registration(scope), http=http, log=log)

    def registration(self, scope: str) -> "AppRegistration":
        """The app registration, and the audience its tokens are for."""
        from shared.clients.partner_center.sign_in import AppRegistration  # noqa: PLC0415 - late: costs a cold start

        settings = self.settings.partner_center
        return AppRegistration(
            settings.tenant_id, settings.client_id, settings.authority, (scope,), settings.public_client
        )

    @cached_property
    def webhooks(self) -> "Webhooks":
        """The API of the webhook registration, signed in."""
        from shared.clients.partner_center.webhook_registration import open_webhooks  # noqa: PLC0415 - late: costs a cold start

        settings, bundle = self.settings.partner_center, self.settings.vault.ca_bundle
        token, limit = self.sign_in_to(settings.webhooks_scope).token, self.settings.sync.deadline_seconds
        webhooks = open_webhooks(settings.webhooks_url, token, ca_bundle=bundle, deadline=limit)
        return self._opened.enter_context(closing(webhooks))

    def keep_registration(self) -> None:
        """Check the webhook registration and repair ours, daily, in an environment that may hold it.

        Raises the errors of the webhook host, of its sign-in and of the store.
        """
        from shared.clients.partner_center.webhook_registration import keep_registration  # noqa: PLC0415 - late: a cold start

        settings, address, may_register = self.settings, self.settings.webhook.address, self.settings.holds_registration
        if settings.sync.tag is not None and not may_register:
            log("run_skipped", run="registration", reason="not_production")
        elif address is None:
            log("run_skipped", run="registration", reason="no_address")
        else:
            keep_registration(self.webhooks, address, memory=self.store, log=log, may_register=may_register)

    @cached_property
    def salesforce(self) -> "Salesforce":
        """The REST API, signed in."""
        from shared.clients.salesforce.client import open_salesforce  # noqa: PLC0415 - late: costs a cold start

        settings = self.settings.salesforce
        return open_salesforce(
            login_url=settings.url,
            audience=settings.audience,
            client_id=settings.client_id,
            username=settings.username,
            key_name=settings.key_secret,
            vault=self.vault,
            version=settings.api_version,
            ca_bundle=self.settings.vault.ca_bundle,
            deadline=self.settings.sync.deadline_seconds,
            pace=self.paces.of("salesforce"),
        )

    @cached_property
    def store(self) -> "LinkStore":
        """Links, pointers, retry queue, side health and cursors."""
        from shared.store.link_store import LinkStore  # noqa: PLC0415 - late: costs a cold start

        return LinkStore(self.rows)

    @cached_property
    def rows(self) -> "SqliteRows | TableRows":
        """The rows of the store, as they are stored."""
        from shared.store.open_rows import open_rows  # noqa: PLC0415 - late: costs a cold start

        rows = open_rows(self.settings.store, self.settings.vault, self.clock.compare)
        self._opened.callback(rows.close)
        return rows


_lock = threading.Lock()
_app: App | None = None


def app() -> App:
    """The app of this process, created at first use. Raises ConfigurationError."""
    global _app  # noqa: PLW0603 - one app per process is what the platform gives us
    with _lock:
        if _app is None:
            _app = App()
            gc.freeze()  # the mapping stays in use too: a collection that searches all of it takes 30 ms
        return _app


def reset() -> None:
    """Close and drop the app of this process, so that the next use reads the settings again (for tests)."""
    global _app  # noqa: PLW0603 - as above
    with _lock:
        if _app is not None:
            _app.close()
        _app = None
