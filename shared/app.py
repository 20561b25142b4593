"""Wires settings, clients, store and mapping together, once per process; triggers ask it for what they need.

Importing this module is cheap; each part is made at first use, so that the event door starts without Salesforce, and a
timer without the door. What costs time to import (reference/azure.md section 7) is imported where it is needed.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from shared.foundation.errors import ConfigurationError
from shared.foundation.logs import log, quiet
from shared.settings.variables import Settings, seconds

if TYPE_CHECKING:
    from shared.clients.key_vault import Vault
    from shared.clients.partner_center.referrals import Referrals
    from shared.clients.partner_center.sign_in import AppRegistration, PartnerCenterSignIn
    from shared.clients.partner_center.webhook_registration import Webhooks
    from shared.mapping.translation import Translation
    from shared.store.link_store import LinkStore
    from shared.store.sqlite_rows import SqliteRows
    from shared.store.table_storage_rows import TableRows
    from shared.sync.context import Context, Policy
    from shared.sync.ports import Salesforce


HOME = Path(__file__).resolve().parent.parent
"""The app's folder, which a relative `MAPPING` starts from."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    def sleep(self, duration: timedelta) -> None:
        """Wait."""
        time.sleep(duration.total_seconds())


class ThreadWorkers:
    """Parallel work in threads: every port is blocking I/O."""

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: int) -> list[R]:
        """Apply `work` to each item, keeping the order."""
        listed = list(items)
        if len(listed) <= 1 or at_most <= 1:
            return [work(item) for item in listed]
        # The worker library knows a log line's invocation by a context variable: each thread gets the caller's.
        contexts = [copy_context() for _ in listed]
        with ThreadPoolExecutor(min(at_most, len(listed)), thread_name_prefix="cosell") as pool:
            return list(pool.map(lambda context, item: context.run(work, item), contexts, listed))


class App:
    """One process's connector. Making it checks every setting. Raises ConfigurationError."""

    def __init__(self, settings: Settings | None = None) -> None:
        """`settings` default to the environment's."""
        quiet()
        self.settings = settings or Settings.load()
        self.translation: Translation = self._translation()
        self._making = threading.Lock()
        self._local: Context | None = None
        self._is_owned = False
        self._opened = ExitStack()

    def close(self) -> None:
        """Let go of files and connections; the app is of no further use."""
        self._opened.close()

    def _translation(self) -> "Translation":
        from shared.mapping.schema import DEFAULT  # noqa: PLC0415 - as above
        from shared.mapping.translation import Constants, Translation  # noqa: PLC0415 - late: costs a cold start

        said = self.settings.partner_center
        constants = Constants(
            said.location,
            said.qualification,
            said.marketplace_intent,
            said.referral_link,
            said.consent_to_contact,
            said.consent_to_share_with_others,
        )
        chosen = self.settings.sync.mapping
        return Translation(constants, HOME / chosen if chosen else DEFAULT)

    @property
    def context(self) -> "Context":
        """What a run of `sync` is given; the first use signs in to Salesforce and checks whose store this is.

        A failed sign-in pauses the side for every instance, and while it is paused nobody tries. Raises
        ConfigurationError for a store of another organisation, and what the sign-in raises.
        """
        from shared.domain.deal import Side  # noqa: PLC0415 - late: costs a cold start
        from shared.sync.retry.side_health import is_paused, pausing_on_failure  # noqa: PLC0415 - as above

        ctx = self.local
        if self._is_owned or self.settings.sync.sync == "off" or is_paused(ctx, Side.SALESFORCE):
            return ctx
        with self._making:
            if not self._is_owned:
                with pausing_on_failure(ctx, Side.SALESFORCE):
                    self._check_owner(ctx.salesforce)
                self._is_owned = True
        return ctx

    @property
    def local(self) -> "Context":
        """The same before any call to either side: for work on the store alone."""
        with self._making:
            if self._local is None:
                self._local = self._made_context()
            return self._local

    def _made_context(self) -> "Context":
        from shared.domain.scope import Scope  # noqa: PLC0415 - late: costs a cold start
        from shared.sync.context import Context  # noqa: PLC0415 - as above

        said = self.settings
        scope = Scope(said.partner_center.organization_id, said.sync.tag, said.sync.begin or self._first_start())
        return Context(
            self.partner_center, self.salesforce, self.store, self.translation, scope, SystemClock(), ThreadWorkers(),
            log, random.random, self._policy(),
        )  # fmt: skip

    def _policy(self) -> "Policy":
        from shared.sync.context import Mode, Policy  # noqa: PLC0415 - late: costs a cold start

        said = self.settings.sync
        paused = {name for name, is_paused in (("push", said.push_paused), ("pull", said.pull_paused)) if is_paused}
        return Policy(
            Mode(said.sync),
            frozenset(paused),
            lease=seconds(said.lease_seconds),
            settle_time=seconds(said.settle_seconds),
            deadline=seconds(said.deadline_seconds),
            irreversible_wait=seconds(said.irreversible_wait_seconds),
            run_time=seconds(said.run_seconds),
            parallelism=said.parallelism,
        )

    def _first_start(self) -> datetime:
        """When this store saw its first start with the sync on; before that nothing has begun."""
        known = self.store.cursor("began")
        if known is None:
            known = datetime.now(UTC)
            if self.settings.sync.sync == "on":
                self.store.move_cursor("began", known)
        return known

    def _check_owner(self, salesforce: "Salesforce") -> None:
        """A store belongs to one Salesforce organisation: a refreshed sandbox carries production's ids."""
        organization = salesforce.organization_id()
        owner = self.store.owner(organization)
        if owner != organization:
            raise ConfigurationError(
                f"STORE: it belongs to the Salesforce organisation {owner}, but SALESFORCE_URL leads to "
                f"{organization}: give this environment a store of its own"
            )

    @cached_property
    def vault(self) -> "Vault":
        """Key Vault."""
        from shared.clients.key_vault import open_vault  # noqa: PLC0415 - late: costs a cold start

        said = self.settings.vault
        return open_vault(
            said.key_vault_url,
            client_id=said.azure_client_id,
            ca_bundle=said.ca_bundle or certifi.where(),
            timeout=self.settings.sync.deadline_seconds,
            keep=said.vault_cache_seconds,
            credential=said.azure_credential,
        )

    @cached_property
    def partner_center(self) -> "Referrals":
        """The referrals API, signed in."""
        from shared.clients.partner_center.referrals import open_referrals  # noqa: PLC0415 - late: costs a cold start

        said, bundle = self.settings.partner_center, self.settings.vault.ca_bundle
        limit = self.settings.sync.deadline_seconds
        referrals = open_referrals(said.url, self.sign_in.token, ca_bundle=bundle, deadline=limit)
        return self._opened.enter_context(closing(referrals))

    @cached_property
    def sign_in(self) -> "PartnerCenterSignIn":
        """Access tokens for the referrals API."""
        return self._sign_in(self.settings.partner_center.scope)

    def sign_in_to(self, scope: str) -> "PartnerCenterSignIn":
        """Access tokens of the integration account for another audience; all share the one refresh token."""
        return self.sign_in.for_audience(scope)

    def _sign_in(self, scope: str) -> "PartnerCenterSignIn":
        from shared.clients.partner_center.sign_in import PartnerCenterSignIn  # noqa: PLC0415 - late: a cold start
        from shared.transport.client import open_client  # noqa: PLC0415 - as above

        http = self._opened.enter_context(open_client(self.settings.vault.ca_bundle))
        return PartnerCenterSignIn(self.vault, self.registration(scope), http=http, log=log)

    def registration(self, scope: str) -> "AppRegistration":
        """The app registration, and the audience its tokens are for."""
        from shared.clients.partner_center.sign_in import AppRegistration  # noqa: PLC0415 - late: costs a cold start

        said = self.settings.partner_center
        return AppRegistration(said.tenant_id, said.client_id, said.authority, (scope,), said.public_client)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """The registration for events, signed in."""
        from shared.clients.partner_center.webhook_registration import open_webhooks  # noqa: PLC0415 - late: costs a cold start

        said, bundle = self.settings.partner_center, self.settings.vault.ca_bundle
        token, limit = self.sign_in_to(said.webhooks_scope).token, self.settings.sync.deadline_seconds
        webhooks = open_webhooks(said.webhooks_url, token, ca_bundle=bundle, deadline=limit)
        return self._opened.enter_context(closing(webhooks))

    def keep_registration(self) -> None:
        """Look at the registration for events and repair ours, daily; only where this environment may hold it.

        Raises what the webhook host, its sign-in and the store raise.
        """
        from shared.clients.partner_center.webhook_registration import keep_registration  # noqa: PLC0415 - late: a cold start

        said, address = self.settings, self.settings.webhook.address
        if said.sync.tag is not None and not said.holds_registration:
            log("run_skipped", run="registration", reason="not_production")
        elif address is None:
            log("run_skipped", run="registration", reason="no_address")
        else:
            keep_registration(
                self.webhooks, address, memory=self.store, log=log, may_register=said.holds_registration
            )  # fmt: skip

    @cached_property
    def salesforce(self) -> "Salesforce":
        """The REST API, signed in."""
        from shared.clients.salesforce.client import open_salesforce  # noqa: PLC0415 - late: costs a cold start

        said = self.settings.salesforce
        return open_salesforce(
            login_url=said.url,
            audience=said.audience,
            client_id=said.client_id,
            username=said.username,
            key_name=said.key_secret,
            vault=self.vault,
            version=said.api_version,
            ca_bundle=self.settings.vault.ca_bundle,
            deadline=self.settings.sync.deadline_seconds,
        )

    @cached_property
    def store(self) -> "LinkStore":
        """Links, pointers, due list, sides, cursors."""
        from shared.store.link_store import LinkStore  # noqa: PLC0415 - late: costs a cold start

        rows = self._rows()
        self._opened.callback(rows.close)
        return LinkStore(rows)

    def _rows(self) -> "SqliteRows | TableRows":
        said, vault = self.settings.store, self.settings.vault
        bundle = str(vault.ca_bundle) if vault.ca_bundle else None
        if said.file is not None:
            from shared.store.sqlite_rows import SqliteRows  # noqa: PLC0415 - only on one machine

            return SqliteRows(str(said.file))
        from shared.store import table_storage_rows as tables  # noqa: PLC0415 - late: costs a cold start

        if said.connection_string is not None:
            return tables.open_tables_from_connection_string(said.connection_string, said.table, ca_bundle=bundle)
        return tables.open_tables(
            said.tables_url or "",
            said.table,
            client_id=vault.azure_client_id,
            ca_bundle=bundle,
            by_cli=vault.azure_credential == "cli",
        )


_lock = threading.Lock()
_app: App | None = None


def app() -> App:
    """This process's app, made at first use. Raises ConfigurationError."""
    global _app  # noqa: PLW0603 - one app per process is what the platform gives us
    with _lock:
        if _app is None:
            _app = App()
        return _app


def reset() -> None:
    """Close and forget the process's app, so that the next use reads the settings anew (tests)."""
    global _app  # noqa: PLW0603 - as above
    with _lock:
        if _app is not None:
            _app.close()
        _app = None
