"""Orgs with people who can own deals, and mapping files that name them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of, opportunity_of

ANNA, BERT = "anna@partner.example", "bert@partner.example"
DEFAULT_OWNER = '[[owners]]\nby = "user"\nuser = "bert@partner.example"\n'


def make_user(harness: Harness, username: str, **values: object) -> str:
    """The id of a new person of the org."""
    first = username.partition("@")[0].capitalize()
    person = {"Username": username, "Email": username, "FirstName": first, "LastName": "Example"}
    user = {**person, "UserType": "Standard", **values}
    return harness.salesforce.insert("User", user, user=harness.salesforce.founding.administrator)


@contextmanager
def org_with_owners(rules: str, **options: Any) -> Iterator[Harness]:  # noqa: ANN401 - those of Harness
    """Both systems with Anna and Bert, and a mapping file with these rules."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "owners.toml"
        path.write_text(f'extends = "default"\n{rules}', "utf-8")
        with Harness(mapping=path, **options) as harness:
            for name in (ANNA, BERT):
                make_user(harness, name)
            yield harness


def user_id(harness: Harness, username: str) -> str:
    """The id of a user."""
    return str(next(user["Id"] for user in harness.salesforce.records("User") if user["Username"] == username))


def arrives(harness: Harness, **fields: object) -> dict[str, Any]:
    """The opportunity of a deal that Microsoft sends."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    if not opportunities_of(harness, referral):
        harness.run_rounds(2)
    return opportunity_of(harness, referral)


def owner_of(harness: Harness, **fields: object) -> str:
    """The user name of the owner of a deal that Microsoft sends."""
    owner = arrives(harness, **fields)["OwnerId"]
    return str(next(user["Username"] for user in harness.salesforce.records("User") if user["Id"] == owner))


def deactivate(harness: Harness, username: str) -> None:
    """An administrator deactivates a user."""
    admin = harness.salesforce.founding.administrator
    harness.salesforce.edit("User", user_id(harness, username), {"IsActive": False}, user=admin)
