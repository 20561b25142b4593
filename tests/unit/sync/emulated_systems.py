"""What the harness needs of the emulators: those with keys, and the org's answer about its shape."""

from copy import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from emulators.base.clock import EmulatedClock
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import LOCATION, PartnerCenterEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ask_shape, teams_since
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.schema import DEFAULT
from shared.mapping.translation import Translation


@cache
def emulators_with_keys() -> tuple[EntraEmulator, CertificateHost]:
    """The emulators with RSA keys, which are made once because that takes long."""
    return EntraEmulator(), CertificateHost()


def stopped_clocks(
    start: datetime, *emulators: SalesforceEmulator | EntraEmulator | PartnerCenterEmulator
) -> list[EmulatedClock]:
    """The clocks of all emulators, which stand still at `start`."""
    clocks = [emulator.clock for emulator in emulators]
    for clock in clocks:
        clock.freeze()
        clock.set(start)
    return clocks


@cache
def translation_of(path: Path = DEFAULT) -> Translation:
    """The translation of a mapping file, which is read once."""
    return Translation(ReferralConstants(LOCATION), path)


_first_answers: dict[tuple[Path, bool, Translation], Translation] = {}


def asked_first(salesforce: SalesforceEmulator, client: SalesforceClient, translation: Translation) -> Translation:
    """As `asked`, of an org on its first day: each org of the same project gives the same answer, so one is asked."""
    key = salesforce.metadata, salesforce.multi_currency, translation
    if key not in _first_answers:
        _first_answers[key] = asked(salesforce, client, translation)
    return _first_answers[key]


def asked(salesforce: SalesforceEmulator, client: SalesforceClient, translation: Translation) -> Translation:
    """The translation with the org's answer, which the app gets before its first run. The journal does not show it."""
    length = len(salesforce.journal)
    org, before = ask_shape(client, translation.file.question), translation.org
    del salesforce.journal[length:]
    return translation.for_org(
        org if before is None else replace(org, teams=teams_since(before, org, salesforce.clock.now()))
    )
