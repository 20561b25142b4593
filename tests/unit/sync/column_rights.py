"""Field-level security of the integration user, as a permission set would set it."""

from collections.abc import Collection

from tests.unit.emulated_rights import rights_without
from tests.unit.sync.harness import Harness


def restrict_columns(harness: Harness, *, hidden: Collection[str] = (), read_only: Collection[str] = ()) -> None:
    """Let the integration user see and write all columns but these (`Account.BillingState`).

    The emulator hides them as the service does: they do not exist for this user. Other users see everything. The
    connector does not know it before it asks the org again.
    """
    org = harness.salesforce.org
    user, users = harness.sign_in.user, org.model.get("User")
    users.fields |= users.hidden  # no permission set of the emulator hides columns of users, so they are taken away
    unseen = {name.lower() for name in hidden}
    users.hidden = {name: users.fields.pop(name) for name in [*users.fields] if f"user.{name}" in unseen}
    rights = rights_without(org.model, hidden=hidden, read_only=read_only)
    org.rights_of = lambda name: rights if name == user else None


def restrict_known_columns(harness: Harness, *, hidden: Collection[str] = (), read_only: Collection[str] = ()) -> None:
    """As `restrict_columns`; the connector has asked the org since."""
    restrict_columns(harness, hidden=hidden, read_only=read_only)
    harness.ask_org_again()
