"""Ways to break the connector on purpose. Each breaks a rule of docs/protocol.md, and the simulation must notice each.

`python -m tests.simulation --sabotage "the lease is ignored"` finds a seed that notices one, and tells its story.
"""

from collections.abc import Mapping

from tests.simulation.broken_care import BROKEN_CARE
from tests.simulation.broken_instances import BROKEN_INSTANCES
from tests.simulation.broken_requests import BROKEN_REQUESTS
from tests.simulation.broken_stores import BROKEN_STORES
from tests.simulation.sabotage import Sabotage

SABOTAGES: Mapping[str, Sabotage] = {**BROKEN_STORES, **BROKEN_INSTANCES, **BROKEN_REQUESTS, **BROKEN_CARE}
HINTS = {
    "the lease is ignored": 5,
    "the store is written unconditionally": 26,
    "a save that may be open is not waited for": 118,
    "the sweep has no overlap": 220,
    "a status code is a confirmation": 149,
    "mass changes are not stopped": 121,
    "recovery is skipped": 82,
    "claims on accounts are ignored": 143,
    "the retry queue is forgotten": 6,
    "a close is sent at once": 19,
    "an echo is known by its user": 70,
    "a lost create is not looked for": 88,
    "a lease is judged by the own clock": 29,
    "every version that was read is known": 42,
    "automation answers Microsoft": 16,
    "If-Unmodified-Since is dropped": 90,
    "a closed referral looks open": 6,
    "the status is sent first": 57,
    "a foreign column is written": 4,
    "every referral is ours": 2,
    "values are logged": 2,
    "a refused value is forgotten": 137,
    "unusually many changes go": 6,
}
"""Seeds that noticed a sabotage, so that the search ends early."""
