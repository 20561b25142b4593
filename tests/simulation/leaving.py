"""Opportunities that leave the sync and come back: deleted and restored, hidden and shown; and changed references."""

from emulators.salesforce.data.errors import ApiError
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People
from tests.simulation.unreadable_rows import rests

LEAVING = "opportunities that are deleted or hidden, and referrals whose reference changes"


def _deletes(people: People) -> bool:
    record = people.choose(people.opportunities())
    if record is None:
        return False
    try:
        people.harness.salesforce.delete("Opportunity", record["Id"])
    except ApiError:  # somebody's save has locked it
        return False
    return True


def _restores(people: People) -> bool:
    deleted = people.deleted_opportunities()
    if not deleted:
        return False
    record = people.chance.choice(deleted)
    people.harness.salesforce.undelete("Opportunity", record["Id"])
    people.take_over(record)
    return True


def _hides(people: People) -> bool:
    """A sharing rule is taken away: the integration user sees its own opportunities only."""
    models = people.harness.salesforce.org.sharing.models
    is_hidden = "Opportunity" in models
    models["Opportunity"] = "Private"
    return not is_hidden


def _shows(people: People) -> bool:
    return people.harness.salesforce.org.sharing.models.pop("Opportunity", None) is not None


def _changes_a_reference(people: People) -> bool:
    """A colleague changes the reference of a referral that its opportunity names, and whose deal no run works on.

    Nothing tells an edit of what is not mapped from a value that was set back after an interrupted write: the audit
    then has both values, which is the limit that docs/protocol.md#recovery-of-interrupted-work states.
    """
    resting = [one for one in people.opportunities() if rests(people, one["Id"])]
    named = {str(one["Referral_Identifier__c"] or "").lower() for one in resting}
    record = people.choose([one for one in people.referrals() if str(one["id"]).lower() in named])
    if record is None or record["status"] == "Closed":
        return False
    number = next(people.numbers)
    reference = people.chance.choice((f"CRM:{number}", f"TEST:0060000000{number:05}AAA", None))
    return people.save_referral(record, {"externalReferenceId": reference})


LEAVING_MOVES = (
    Move("seller deletes", 6, _deletes, "", LEAVING),
    Move("seller restores", 12, _restores, "", LEAVING),
    Move("administrator hides the deals", 4, _hides, "", LEAVING),
    Move("administrator shows the deals", 8, _shows, "", LEAVING),
    Move("colleague changes the reference", 5, _changes_a_reference, "", LEAVING),
)


def bring_back(people: People) -> None:
    """Restore and show all opportunities, and tick most of them again."""
    _shows(people)
    while _restores(people):
        pass
    for record in people.opportunities():
        if not record[TICK] and people.chance.random() < 0.7:
            people.save_opportunity(record, {TICK: True})
