"""Starts all outside systems of the connector as emulators, and builds the environment with the app's settings."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.certificate_authority import Authority
from emulators.base.emulator import CONTROL, Emulator
from emulators.base.server import Request, Server
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import CLIENT_ID as IDENTITY
from emulators.managed_identity.emulator import ManagedIdentity
from emulators.partner_center.emulator import LOCATION, ORGANIZATION, PartnerCenterEmulator
from emulators.partner_center.serve import ServedPartnerCenter, serve_partner_center
from emulators.salesforce.emulator import SalesforceEmulator

CONSUMER_KEY = "3MVG9LOCALLOCALLOCAL"
BROWSER_APP = "3MVG9LOCALADMINISTRATOR"
"""The consumer key of the app with which the administrator signs in by the browser."""
CALLBACK = "http://localhost:8717/callback"
USERNAME = "integration@contoso.example"
DEFAULT_PHONE = "+4550000000"
PUSH_SCHEDULE, SWEEP_SCHEDULE, CREDENTIALS_SCHEDULE = "0 * * * * *", "0 */15 * * * *", "0 17 3 * * *"
COMPARE_SCHEDULE = "0 23,53 2-5 * * *"
BACKUP_SCHEDULE = "0 47 6 * * *"
ROOT = Path(__file__).resolve().parents[1]
REST_SECONDS = 33.0
"""The sync writes no record that was saved less than that ago (docs/protocol.md#writing-values-that-people-edit)."""


@dataclass(frozen=True, slots=True)
class Systems:
    """The running emulators, their addresses, and the environment in which the app finds them."""

    authority: Authority
    salesforce: SalesforceEmulator
    partner: ServedPartnerCenter
    vault: KeyVault
    identity: ManagedIdentity
    salesforce_url: str
    environ: Mapping[str, str]

    @property
    def partner_center(self) -> PartnerCenterEmulator:
        """The emulator of Partner Center."""
        return self.partner.partner_center

    @property
    def emulators_by_name(self) -> Mapping[str, Emulator]:
        """All emulators by the names that the story and `make serve` print."""
        return {
            "Salesforce": self.salesforce,
            "Partner Center": self.partner.partner_center,
            "Entra": self.partner.entra,
            "Certificates": self.partner.certificates,
            "Key Vault": self.vault,
            "Managed identity": self.identity,
        }

    def reset(self) -> None:
        """Reset every emulator: no deals, no registered webhook, and a new first refresh token in the vault."""
        for emulator in self.emulators_by_name.values():
            emulator.handle(Request("POST", f"{CONTROL}/reset"))
        first = self.partner.entra.issue_refresh_token()
        self.vault.secret_store.put("partner-center-refresh-token", {"value": first})

    def seller_creates(self, name: str, *, country: str | None = "US", **values: object) -> str:
        """Create a complete, ticked opportunity with an account of its own in `country`; returns its id.

        `values` replace or add fields of the opportunity.
        """
        complete = complete_opportunity(name, self.create_account(f"{name} Ltd", country))
        if not self.salesforce.multi_currency:
            del complete["CurrencyIsoCode"]
        return self.salesforce.insert("Opportunity", {**complete, **values})

    def create_account(self, name: str, country: str | None) -> str:
        """Create an account in `country`; returns its id."""
        address = {"BillingStreet": "1 Main Street", "BillingCity": "Seattle", "BillingCountry": country}
        return self.salesforce.insert("Account", {"Name": name, **address})


def complete_opportunity(name: str, account: str) -> dict[str, object]:
    """The fields of a complete, ticked opportunity of the account with this id."""
    return {
        "Name": name, "AccountId": account, "StageName": "Qualification",
        "CloseDate": f"{datetime.now(UTC).year + 1}-03-31", "Amount": 10_000, "CurrencyIsoCode": "USD",
        "Products__c": "SOL-12345-ABC", "Sync_with_Partner_Center__c": True,
    }  # fmt: skip


@contextmanager
def start_systems(folder: Path, *, seed: int = 0, port: int = 0) -> Iterator[Systems]:
    """Run all emulators until the block ends.

    They listen on `port` and the following ports, or on free ports if it is 0. Certificates and settings files go into
    `folder`. The same `seed` makes the emulators create the same ids.
    """
    authority = Authority(folder)
    with ExitStack() as stack:
        partner = stack.enter_context(serve_partner_center(authority, seed=seed, port=port))
        salesforce = SalesforceEmulator(seed=seed)
        key = _register_key_pair(salesforce)
        sf_url = _start_server(stack, salesforce.handle, authority, port and port + 4)
        identity = ManagedIdentity(seed=seed)
        identity_server = stack.enter_context(Server(identity.handle, port=port and port + 5))
        vault = KeyVault(identity.tokens, secrets=_vault_secrets(partner, key), seed=seed)
        vault_url = _start_server(stack, vault.handle, authority, port and port + 6)
        environ = _build_environ(folder, authority, partner, sf_url, vault_url)
        environ |= identity.environment_variables(identity_server.url)
        yield Systems(authority, salesforce, partner, vault, identity, sf_url, environ)


def _start_server(stack: ExitStack, handle: object, authority: Authority, port: int) -> str:
    server = Server(handle, port=port, tls=authority.server_context())  # type: ignore[arg-type]  # bound methods of emulators
    return stack.enter_context(server).url


def _register_key_pair(salesforce: SalesforceEmulator) -> str:
    """Make a key pair for the JWT sign-in, and register its public half; returns the private half as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    salesforce.register_connected_app(CONSUMER_KEY, public, USERNAME)
    salesforce.register_browser_app(BROWSER_APP, (CALLBACK,), ["ada.admin@partner.example"])
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _vault_secrets(partner: ServedPartnerCenter, key: str) -> dict[str, str]:
    return {
        "salesforce-private-key": key,
        "partner-center-refresh-token": partner.entra.issue_refresh_token(),
        "partner-center-client-secret": partner.entra.client_secret,
    }


def _build_environ(
    folder: Path, authority: Authority, partner: ServedPartnerCenter, salesforce_url: str, vault_url: str
) -> dict[str, str]:
    roots = folder / "dispatcher-root.pem"
    roots.write_text(partner.certificates.root_pem, encoding="ascii")
    mapping = folder / "mapping.toml"
    mapping.write_text(f'extends = "default"\n\n[fields.team]\ndefault_phone = "{DEFAULT_PHONE}"\n', encoding="utf-8")
    bundle = str(authority.bundle)
    return {
        "ENVIRONMENT": "production",
        "SYNC": "on",
        "SYNC_FROM": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "MAPPING": str(mapping),
        # A demonstration skips the waiting time of docs/protocol.md#what-cannot-be-undone-waits.
        "IRREVERSIBLE_WAIT_SECONDS": "0",
        # It may create any number of deals: no operator waits here for docs/protocol.md#the-mass-change-stop.
        "MASS_CHANGE_LIMIT": "1000000",
        "PARTNER_CENTER_URL": f"{partner.url}/v1.0/engagements",
        "PARTNER_CENTER_WEBHOOKS_URL": f"{partner.url}/webhooks/v1",
        "PARTNER_CENTER_AUTHORITY": partner.entra_url,
        "PARTNER_CENTER_TENANT_ID": partner.entra.tenant,
        "PARTNER_CENTER_CLIENT_ID": partner.entra.client_id,
        "PARTNER_CENTER_ORGANIZATION_ID": ORGANIZATION,
        "PARTNER_CENTER_LOCATION": LOCATION,
        "SALESFORCE_URL": salesforce_url,
        "SALESFORCE_CLIENT_ID": CONSUMER_KEY,
        "SALESFORCE_USERNAME": USERNAME,
        "KEY_VAULT_URL": vault_url,
        "AZURE_CLIENT_ID": IDENTITY,
        "STORE_FILE": str(folder / "store.sqlite"),
        "EVENT_CERTIFICATE_ORIGINS": partner.certificates_url,
        "EVENT_ISSUER_ORIGINS": partner.issuers_url,
        "EVENT_ROOTS": str(roots),
        "EVENTS_QUEUE": "referral-events",
        "PUSH_SCHEDULE": PUSH_SCHEDULE,
        "SWEEP_SCHEDULE": SWEEP_SCHEDULE,
        "CREDENTIALS_SCHEDULE": CREDENTIALS_SCHEDULE,
        "COMPARE_SCHEDULE": COMPARE_SCHEDULE,
        "BACKUP_SCHEDULE": BACKUP_SCHEDULE,
        "CA_BUNDLE": bundle,
        # Some libraries prefer these variables to the bundle of their session. The machine may have set other values.
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
    }
