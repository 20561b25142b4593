"""Faults of lists: of Partner Center they are late, stale, incomplete or repeat rows; of Salesforce pages are short."""

import random
from collections.abc import Callable

from emulators.base.emulator import Emulator
from tests.simulation.faulty.trouble import Check, Places, Trouble


def _tagged(emulator: Emulator, tag: str) -> Check:
    """Whether a request from now on has this tag."""
    begin = len(emulator.journal)
    return lambda: any(tag in entry.tags for entry in emulator.journal[begin:])


def _of_partner_center(name: str, tag: str, change: Callable[[Places, random.Random], None]) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        change(places, chance)
        return _tagged(places.harness.partner_center, tag)

    return Trouble(f"partner_center {name}", 5, begin)


def _lag(places: Places, chance: random.Random) -> None:
    """Within the settle time (docs/protocol.md#the-guarantee)."""
    places.harness.partner_center.switches.list_lag = chance.choice((60.0, 300.0))


def _stale(places: Places, chance: random.Random) -> None:
    """Within the overlap of the sweep (docs/protocol.md#the-sweep), as the gap."""
    places.harness.partner_center.switches.list_stale = chance.choice((60.0, 600.0, 1200.0))


def _gap(places: Places, chance: random.Random) -> None:
    places.harness.partner_center.switches.list_gap = chance.choice((60.0, 600.0, 1200.0))


def _repeats(places: Places, _: random.Random) -> None:
    switches = places.harness.partner_center.switches
    switches.page_size, switches.list_repeats = 1, 1


def _short_pages(places: Places, _: random.Random) -> Check:
    places.harness.salesforce.rest.pages.short_pages = 1
    return _tagged(places.harness.salesforce, "query.more")


OF_LISTS = (
    _of_partner_center("lists new referrals late", "lag", _lag),
    _of_partner_center("lists referrals as they were", "stale", _stale),
    _of_partner_center("leaves referrals out of lists", "gap", _gap),
    _of_partner_center("repeats referrals in lists", "repeats", _repeats),
    Trouble("salesforce sends short pages", 5, _short_pages),
)
