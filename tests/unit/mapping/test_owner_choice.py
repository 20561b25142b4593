"""What a refusal changes about the owner of a new deal."""

from copy import replace

from shared.clients.salesforce.records import Node
from shared.domain.arrival import Arrival
from shared.domain.cause import Cause
from shared.domain.deal import Deal
from shared.domain.owner import Owner, owner_of
from shared.foundation.errors import Rejected
from shared.mapping.owner_choice import owned, without_refused_owner

ARRIVAL = Arrival(Deal({}), owners=(Owner("005", "Anna", "rule 1"),))
NO_ACCESS = Rejected(Cause("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", None, "No.", ""), "opportunity")


def test_a_deal_is_handed_over_once_and_a_second_refusal_of_access_is_something_else() -> None:
    handed_over = without_refused_owner(ARRIVAL, NO_ACCESS)
    assert handed_over == replace(ARRIVAL, is_handed_over=True)
    assert handed_over is not None
    assert without_refused_owner(handed_over, NO_ACCESS) is None


def test_a_refused_hand_over_passes_the_owner_over() -> None:
    refused = Rejected(NO_ACCESS.cause, "owner_account")
    after = without_refused_owner(replace(ARRIVAL, is_handed_over=True), refused)
    assert after is not None
    assert owner_of(after.owners) is None


def test_what_is_handed_over_gets_its_owner_in_the_last_steps_and_the_account_last() -> None:
    nodes = [Node("account", "Account", {}), Node("opportunity", "Opportunity", {}), Node("role", "Role", {})]
    at_once = owned(nodes, ARRIVAL)
    assert [(node.name, node.values) for node in at_once] == [
        ("account", {"OwnerId": "005"}), ("opportunity", {"OwnerId": "005"}), ("role", {}),
    ]  # fmt: skip
    later = owned(nodes, replace(ARRIVAL, is_handed_over=True))
    assert later[:3] == nodes
    assert [(node.name, node.record, node.values) for node in later[3:]] == [
        ("owner_opportunity", "@{opportunity.id}", {"OwnerId": "005"}),
        ("owner_account", "@{account.id}", {"OwnerId": "005"}),
    ]
