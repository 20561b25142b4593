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
    "recovery is skipped": 31,
    "the retry queue is forgotten": 6,
    "a lost create is not looked for": 13,
    "automation answers Microsoft": 16,
    "a close is sent at once": 26,
    "every version that was read is known": 32,
    "If-Unmodified-Since is dropped": 90,
    "the status is sent first": 54,
    "a closed referral looks open": 6,
    "a foreign column is written": 4,
    "every referral is ours": 2,
    "values are logged": 2,
}
"""Seeds that noticed a sabotage, so that the search ends early."""
