"""The time in which a deal may be answered ends: Partner Center closes it as expired."""

from tests.simulation.moves import Move
from tests.simulation.people import People


def _expires(people: People) -> bool:
    """A deal that Microsoft sent, and nobody has answered."""
    record = people.choose([one for one in people.referrals() if one["status"] == "New"])
    if record is None:
        return False
    return people.change_referral(record, lambda: people.harness.partner_center.let_expire(record["id"]))


EXPIRY_MOVES = (Move("the time to answer ends", 2, _expires, "status"),)
