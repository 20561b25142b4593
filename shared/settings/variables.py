"""Read the settings from environment variables and check them when the app starts.

With a wrong setting the app does not start. The error names the variable and shows an example. Each class reads one
group of variables; docs/settings.md lists them all. Secrets are not settings: they are in Key Vault, and a setting has
the name of a secret at most.
"""

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from msgspec import Struct
from pydantic import Field, ValidationError, field_validator

from shared.foundation.errors import ConfigurationError
from shared.settings.event_values import DEFAULTS, split_list
from shared.settings.guards import GuardSettings
from shared.settings.settings_group import SettingsGroup, describe_faults
from shared.settings.value_checks import DEADLINE_SECONDS, LEASE_SECONDS
from shared.settings.value_types import (
    Certificates,
    Connection,
    File,
    Guid,
    Https,
    Link,
    NewFile,
    Origin,
    PositiveSeconds,
    Queue,
    Schedule,
    Seconds,
    Text,
)


class SyncSettings(SettingsGroup):
    """The scope of the sync, and the time limits of the protocol in seconds (docs/protocol.md#time-and-deadlines)."""

    examples: ClassVar[Mapping[str, str]] = {
        "environment": "production",
        "sync": "on",
        "sync_from": "2026-11-01T00:00:00Z",
    }

    environment: Annotated[str, Field(pattern=r"^(production|[A-Za-z][A-Za-z0-9-]{0,15})$")]
    sync: Annotated[str, Field(pattern=r"^(off|preview|on)$")] = "preview"
    sync_from: datetime | None = None
    push_paused: bool = False
    pull_paused: bool = False
    mapping: Path | None = None
    lease_seconds: PositiveSeconds = LEASE_SECONDS
    settle_seconds: Seconds = 600
    deadline_seconds: PositiveSeconds = DEADLINE_SECONDS
    irreversible_wait_seconds: Seconds = 120
    hold_win: bool = True
    customer_consent: Annotated[str, Field(pattern=r"^(settings|checkbox)$")] = "settings"
    leads: Annotated[str, Field(pattern=r"^(off|lead|opportunity)$")] = "off"
    parallelism: Annotated[int, Field(ge=1, le=64)] = 32
    run_seconds: PositiveSeconds = 480

    def contradictions(self) -> list[str]:
        """Check the lease: in a shorter one no write could start (docs/protocol.md#time-and-deadlines)."""
        if self.lease_seconds > 2 * self.deadline_seconds:
            return []
        rule = "LEASE_SECONDS: must be more than twice DEADLINE_SECONDS"
        return [f"{rule} (example: LEASE_SECONDS=300 with DEADLINE_SECONDS=60)"]

    @property
    def paused(self) -> frozenset[str]:
        """The directions that are paused."""
        return frozenset(name for name in ("push", "pull") if getattr(self, f"{name}_paused"))

    @property
    def tag(self) -> str | None:
        """The tag on this environment's deals, or None (docs/protocol.md#an-environment-touches-only-its-own)."""
        return None if self.environment.casefold() == "production" else self.environment.upper()

    @property
    def begin(self) -> datetime | None:
        """`SYNC_FROM` with a time zone, or None (docs/protocol.md#nothing-from-before-the-beginning)."""
        if self.sync_from is None:
            return None
        return self.sync_from if self.sync_from.tzinfo else self.sync_from.replace(tzinfo=UTC)


class PartnerCenterSettings(SettingsGroup):
    """Partner Center: addresses, sign-in, and the values that every new referral has."""

    prefix: ClassVar[str] = "PARTNER_CENTER_"
    examples: ClassVar[Mapping[str, str]] = {
        "organization_id": "11111111-2222-3333-4444-555555555555",
        "tenant_id": "11111111-2222-3333-4444-555555555555",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "location": "1234567",
    }

    url: Https = "https://api.partner.microsoft.com/v1.0/engagements"
    scope: Https = "https://api.partner.microsoft.com/.default"
    webhooks_url: Https = "https://api.partnercenter.microsoft.com/webhooks/v1"
    webhooks_scope: Https = "https://api.partnercenter.microsoft.com/.default"
    authority: Origin = "https://login.microsoftonline.com"
    tenant_id: Text
    client_id: Guid
    public_client: bool = False
    test_tenant: bool = False
    organization_id: Guid
    location: Annotated[str, Field(pattern=r"^\d{1,12}$")]
    qualification: Text = "SalesQualified"
    marketplace_intent: Text = "HaveNotDecided"
    consent_to_contact: bool = True
    consent_to_share_with_others: bool = True
    consent_to_contact_specific_partners: bool = True
    referral_link: Link = "https://partner.microsoft.com/referrals/v2/inbox?id={id}"


class SalesforceSettings(SettingsGroup):
    """Salesforce: the My Domain address, the sign-in and the integration user."""

    prefix: ClassVar[str] = "SALESFORCE_"
    examples: ClassVar[Mapping[str, str]] = {
        "url": "https://acme.my.salesforce.com",
        "client_id": "3MVG9…",
        "username": "integration@acme.example",
        "organization_id": "00D5g000004XyZaEAK",
    }

    url: Origin
    audience: Origin = "https://login.salesforce.com"
    client_id: Text
    username: Text
    api_version: Annotated[str, Field(pattern=r"^\d{2}\.0$")] = "66.0"
    key_secret: Text = "salesforce-private-key"  # noqa: S105 - a secret's name
    organization_id: Annotated[str, Field(pattern=r"^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$")] | None = None


class VaultSettings(SettingsGroup):
    """Key Vault, the identity that may read it, and the root certificates of all connections."""

    examples: ClassVar[Mapping[str, str]] = {
        "key_vault_url": "https://kv-cosell.vault.azure.net",
        "azure_client_id": "11111111-2222-3333-4444-555555555555",
        "ca_bundle": "/etc/ssl/acme.pem",
    }

    key_vault_url: Origin
    azure_client_id: Guid
    azure_credential: Annotated[str, Field(pattern=r"^(managed|cli)$")] = "managed"
    ca_bundle: Certificates | None = None
    vault_cache_seconds: Seconds = 600


class StoreSettings(SettingsGroup):
    """The place where the links are stored: Table Storage in Azure, or a SQLite file on one machine."""

    prefix: ClassVar[str] = "STORE_"
    examples: ClassVar[Mapping[str, str]] = {
        "tables_url": "https://stcosell.table.core.windows.net",
        "connection_string": "UseDevelopmentStorage=true",
        "file": "cosell.sqlite",
    }

    tables_url: Https | None = None
    connection_string: Connection | None = None
    file: NewFile | None = None
    table: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{2,62}$")] = "cosell"

    def contradictions(self) -> list[str]:
        """Check that exactly one store is set."""
        stores = [name for name in ("tables_url", "connection_string", "file") if getattr(self, name) is not None]
        if len(stores) == 1:
            return []
        set_now = " and ".join(f"STORE_{name.upper()}" for name in stores) or "none"
        rule = "Exactly one of STORE_TABLES_URL, STORE_CONNECTION_STRING and STORE_FILE must be set"
        return [f"{rule}, not {set_now} (example: STORE_TABLES_URL={self.examples['tables_url']})"]


class EventSettings(SettingsGroup):
    """Webhook admission: which certificates are trusted. Spaces or commas separate the items of a list."""

    prefix: ClassVar[str] = "EVENT_"
    unprefixed: ClassVar[frozenset[str]] = frozenset({"ca_bundle"})
    examples: ClassVar[Mapping[str, str]] = {
        "certificate_origins": "https://3psostorageacct.blob.core.windows.net",
        "roots": "certificates/roots.pem",
        "intermediates": "certificates/issuers.pem",
        "certificates": "certificates/dispatcher.pem",
        "ca_bundle": "/etc/ssl/acme.pem",
    }

    certificate_origins: tuple[str, ...] = DEFAULTS.certificate_origins
    issuer_origins: tuple[str, ...] = DEFAULTS.issuer_origins
    dispatcher: Text = DEFAULTS.dispatcher
    roots: File | None = None
    intermediates: File | None = None
    certificates: File | None = None
    resource_hosts: tuple[str, ...] = DEFAULTS.resource_hosts
    max_bytes: Annotated[int, Field(gt=0)] = DEFAULTS.max_bytes
    ca_bundle: Path | None = None  # VaultSettings checks it

    @field_validator("certificate_origins", "issuer_origins", "resource_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return split_list(value) if isinstance(value, str) else value


class WebhookSettings(SettingsGroup):
    """The registration for events. A tenant has one registration, so only one environment can hold it."""

    examples: ClassVar[Mapping[str, str]] = {
        "events_url": "https://func-cosell.azurewebsites.net/api/events",
        "events_register": "true",
    }

    events_url: Https | None = None
    events_register: bool | None = None

    @property
    def address(self) -> str | None:
        """The public address of the webhook; None if neither `EVENTS_URL` nor the platform has it."""
        host = os.environ.get("WEBSITE_HOSTNAME", "")
        is_public = host and not re.match(r"localhost\b|127\.", host)  # Core Tools on a developer's machine set it too
        return self.events_url or (f"https://{host}/api/events" if is_public else None)


SCHEDULES = ("PUSH_SCHEDULE", "SWEEP_SCHEDULE", "CREDENTIALS_SCHEDULE", "COMPARE_SCHEDULE", "BACKUP_SCHEDULE")


class TriggerSettings(SettingsGroup):
    """Queue and schedules of the triggers. The Functions host reads them; they are checked here to show an example."""

    examples: ClassVar[Mapping[str, str]] = {
        "events_queue": "referral-events",
        "push_schedule": "0 * * * * *",
        "sweep_schedule": "0 */15 * * * *",
        "credentials_schedule": "0 17 3 * * *",
        "compare_schedule": "0 23,53 2-5 * * *",
        "backup_schedule": "0 47 6 * * *",
    }

    events_queue: Queue
    push_schedule: Schedule
    sweep_schedule: Schedule
    credentials_schedule: Schedule
    compare_schedule: Schedule
    backup_schedule: Schedule


class Settings(Struct, frozen=True):
    """All groups of settings, checked together."""

    sync: SyncSettings
    partner_center: PartnerCenterSettings
    salesforce: SalesforceSettings
    vault: VaultSettings
    store: StoreSettings
    webhook: WebhookSettings
    guards: GuardSettings

    @property
    def holds_registration(self) -> bool:
        """Whether this environment registers for events: `EVENTS_REGISTER`, or by default only production."""
        setting = self.webhook.events_register
        return self.sync.tag is None if setting is None else setting

    @property
    def may_share(self) -> bool:
        """Whether deals are shared with Microsoft (docs/protocol.md#an-environment-touches-only-its-own)."""
        return self.sync.tag is None or self.partner_center.test_tenant

    @classmethod
    def load(cls) -> Self:
        """Read all groups from the environment. Raises one ConfigurationError for all wrong or missing settings."""
        groups: dict[str, Any] = {}
        faults: list[str] = []
        for name, group in (
            ("sync", SyncSettings),
            ("partner_center", PartnerCenterSettings),
            ("salesforce", SalesforceSettings),
            ("vault", VaultSettings),
            ("store", StoreSettings),
            ("webhook", WebhookSettings),
            ("guards", GuardSettings),
        ):
            try:
                groups[name] = group.from_environment()
            except ValidationError as error:
                faults += describe_faults(group, error)
            else:
                faults += groups[name].contradictions()
        if faults:
            raise ConfigurationError("; ".join(faults))
        return cls(**groups)


def event_settings() -> EventSettings:
    """Read the settings of webhook admission, which works without the other settings. Raises ConfigurationError."""
    return _read_group(EventSettings)


def trigger_settings() -> TriggerSettings:
    """Read the settings of the triggers, which only the Functions app has. Raises ConfigurationError."""
    return _read_group(TriggerSettings)


def run_startup_checks(*checks: Callable[[], object]) -> None:
    """Run all checks of the start. Raises one ConfigurationError with everything that is wrong."""
    faults = []
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            faults.append(str(error))
    if faults:
        raise ConfigurationError("\n".join(faults))


def _read_group[G: SettingsGroup](group: type[G]) -> G:
    try:
        return group.from_environment()
    except ValidationError as error:
        raise ConfigurationError("; ".join(describe_faults(group, error))) from None
