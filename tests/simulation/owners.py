"""Deals that get another owner: our team in Partner Center follows.

team      once a deal is open on both sides, Partner Center has its owner, and none of the former ones
"""

from collections.abc import Iterator

from tests.simulation.held_values import OPEN, belongs_to, of_opportunity, of_referral
from tests.simulation.moves import TICK, Move, of_seller
from tests.simulation.people import People

OWNERS = "deals that get another owner"
SELLERS = ("Bo", "Chi", "Dee")


def _address(name: str) -> str:
    return f"{name.lower()}@contoso.example"


def add_sellers(people: People) -> None:
    """The users who may own a deal."""
    salesforce = people.harness.salesforce
    for name in SELLERS:
        named = {"FirstName": "Ada", "LastName": name, "Username": _address(name), "Email": _address(name)}
        values = {**named, "Phone": "+1 425 555 0100", "UserType": "Standard"}
        salesforce.insert("User", values, user=salesforce.founding.administrator)


def _users(people: People) -> dict[str, str]:
    """The ids of these users, by their addresses."""
    known = {_address(name) for name in SELLERS}
    users = people.harness.salesforce.records("User")
    return {user["Email"]: user["Id"] for user in users if user["Email"] in known}


OWNER_MOVES: tuple[Move, ...] = (
    of_seller("gives a deal to another owner", 15, "", lambda people, _: {"OwnerId": _choose_user(people)}, OWNERS),
)


def _choose_user(people: People) -> str:
    return people.chance.choice(sorted(_users(people).values()))


def judge_owners(people: People) -> Iterator[str]:
    """Each open deal whose team in Partner Center is not its owner's."""
    addresses = {key: address for address, key in _users(people).items()} if OWNERS in people.also else {}
    for opportunity in people.opportunities() if addresses else ():
        owner = addresses.get(opportunity["OwnerId"])
        for referral in people.referrals():
            is_open = of_opportunity(opportunity)["status"] == of_referral(referral)["status"] == OPEN
            if owner is None or not opportunity[TICK] or not is_open or not belongs_to(opportunity, referral):
                continue
            team = {str(member["email"]).lower() for member in referral["team"] or ()}
            if owner not in team or team & set(addresses.values()) != {owner}:
                yield f"team: {opportunity['Id']} is {owner}'s, and Partner Center has {sorted(team)}"
