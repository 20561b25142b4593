"""All outside systems of the connector on one machine, started together: what the app's settings then are."""

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
from emulators.partner_center.serve import Addresses, serve
from emulators.salesforce.emulator import SalesforceEmulator

CONSUMER_KEY = "3MVG9LOCALLOCALLOCAL"
USERNAME = "integration@contoso.example"
DEFAULT_PHONE = "+4550000000"
PUSH_SCHEDULE, SWEEP_SCHEDULE, CREDENTIALS_SCHEDULE = "0 * * * * *", "0 */15 * * * *", "0 17 3 * * *"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Systems:
    """The emulators, their addresses, and the environment under which the app finds them."""

    authority: Authority
    salesforce: SalesforceEmulator
    partner: Addresses
    vault: KeyVault
    identity: ManagedIdentity
    salesforce_url: str
    environ: Mapping[str, str]

    @property
    def partner_center(self) -> PartnerCenterEmulator:
        """The referrals host."""
        return self.partner.partner_center

    @property
    def emulators(self) -> Mapping[str, Emulator]:
        """All of them by the name a person knows them by."""
        return {
            "Salesforce": self.salesforce,
            "Partner Center": self.partner.partner_center,
            "Entra": self.partner.entra,
            "Certificates": self.partner.certificates,
            "Key Vault": self.vault,
            "Managed identity": self.identity,
        }

    def reset(self) -> None:
        """Everything as at the start: no deals, no events registered, the first consent given anew."""
        for emulator in self.emulators.values():
            emulator.handle(Request("POST", f"{CONTROL}/reset"))
        first = self.partner.entra.refresh_token()
        self.vault.shelf.put("partner-center-refresh-token", {"value": first})

    def seller_creates(self, name: str, *, country: str | None = "US", **values: object) -> str:
        """A complete opportunity, ticked, of an account of its own in `country`; `values` change it. Gives its id."""
        account = {"Name": f"{name} Ltd", "BillingCity": "Seattle", "BillingCountry": country}
        complete = {
            "Name": name, "AccountId": self.salesforce.insert("Account", account), "StageName": "Qualification",
            "CloseDate": f"{datetime.now(UTC).year + 1}-03-31", "Amount": 10_000, "CurrencyIsoCode": "USD",
            "Products__c": "SOL-12345-ABC", "Sync_with_Partner_Center__c": True,
        }  # fmt: skip
        return self.salesforce.insert("Opportunity", {**complete, **values})


@contextmanager
def started(folder: Path, *, seed: int = 0, port: int = 0) -> Iterator[Systems]:
    """Start everything, on `port` and the following ones, or on free ones; all stop at the end."""
    authority = Authority(folder)
    with ExitStack() as stack:
        partner = stack.enter_context(serve(authority, seed=seed, port=port))
        salesforce = SalesforceEmulator(seed=seed)
        key = _private_key(salesforce)
        sf_url = _served(stack, salesforce.handle, authority, port and port + 3)
        identity = ManagedIdentity(seed=seed)
        door = stack.enter_context(Server(identity.handle, port=port and port + 4))
        vault = KeyVault(identity.tokens, secrets=_secrets(partner, key), seed=seed)
        vault_url = _served(stack, vault.handle, authority, port and port + 5)
        environ = _environ(folder, authority, partner, sf_url, vault_url) | identity.environment(door.url)
        yield Systems(authority, salesforce, partner, vault, identity, sf_url, environ)


def _served(stack: ExitStack, handle: object, authority: Authority, port: int) -> str:
    server = Server(handle, port=port, tls=authority.server())  # type: ignore[arg-type]  # bound methods of emulators
    return stack.enter_context(server).url


def _private_key(salesforce: SalesforceEmulator) -> str:
    """A key pair for the JWT sign-in: the public half is registered, the private one goes to the vault."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    salesforce.register_app(CONSUMER_KEY, public, USERNAME)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _secrets(partner: Addresses, key: str) -> dict[str, str]:
    return {
        "salesforce-private-key": key,
        "partner-center-refresh-token": partner.entra.refresh_token(),
        "partner-center-client-secret": partner.entra.client_secret,
    }


def _environ(
    folder: Path, authority: Authority, partner: Addresses, salesforce_url: str, vault_url: str
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
        # The waiting times of protocol.md section 5: nobody waits in a demonstration.
        "IRREVERSIBLE_WAIT_SECONDS": "0",
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
        "EVENT_ROOTS": str(roots),
        "EVENTS_QUEUE": "referral-events",
        "PUSH_SCHEDULE": PUSH_SCHEDULE,
        "SWEEP_SCHEDULE": SWEEP_SCHEDULE,
        "CREDENTIALS_SCHEDULE": CREDENTIALS_SCHEDULE,
        "CA_BUNDLE": bundle,
        # What the machine may say of certificates wins over a session's own wish in some libraries.
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
    }
