"""The graph that creates an opportunity with its account, contacts and contact roles: all of it, or nothing.

Source: docs/protocol.md#creating-an-opportunity.
"""

from collections.abc import Collection, Sequence

from shared.clients.salesforce.records import ALLOW_DUPLICATE, Json, Node


def creation_nodes(
    account: str | Json,
    contacts: Sequence[str | Json],
    opportunity: Json,
    identifier: str,
    allowed: Collection[int] = (),
) -> list[Node]:
    """Return the steps: account, contacts, opportunity, and a role for each contact, the first as primary.

    `account` and each of `contacts` are the id of a record that exists, or the values of a new one. `opportunity` has
    the value of `identifier`, the external id by which a repeated graph finds its first result. The contacts with the
    numbers `allowed` are saved although they resemble others.
    """
    nodes = [] if isinstance(account, str) else [Node("account", "Account", account)]
    account_id = account if isinstance(account, str) else "@{account.id}"
    nodes += [
        Node(
            f"contact{number or ''}",
            "Contact",
            {**contact, "AccountId": account_id},
            headers=ALLOW_DUPLICATE if number in allowed else None,
        )
        for number, contact in enumerate(contacts)
        if not isinstance(contact, str)
    ]
    values = {name: value for name, value in opportunity.items() if name != identifier} | {"AccountId": account_id}
    nodes.append(Node("opportunity", "Opportunity", values, (identifier, str(opportunity[identifier]))))
    return nodes + [_role_node(number, contact) for number, contact in enumerate(contacts)]


def _role_node(number: int, contact: str | Json) -> Node:
    contact_id = contact if isinstance(contact, str) else f"@{{contact{number or ''}.id}}"
    values = {"OpportunityId": "@{opportunity.id}", "ContactId": contact_id, "IsPrimary": number == 0}
    return Node(f"role{number or ''}", "OpportunityContactRole", values)
