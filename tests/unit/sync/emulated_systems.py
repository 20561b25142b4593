"""What the harness needs of the emulators: those with keys, and the org's answer about its shape."""

from functools import cache

from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ask_shape
from shared.mapping.translation import Translation


@cache
def emulators_with_keys() -> tuple[EntraEmulator, CertificateHost]:
    """The emulators with RSA keys, which are made once because that takes long."""
    return EntraEmulator(), CertificateHost()


def asked(salesforce: SalesforceEmulator, client: SalesforceClient, translation: Translation) -> Translation:
    """The translation with the org's answer, which the app gets before its first run. The journal does not show it."""
    length = len(salesforce.journal)
    org = ask_shape(client, translation.file.question)
    del salesforce.journal[length:]
    return translation.for_org(org)
