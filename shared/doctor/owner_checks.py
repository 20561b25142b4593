"""Check who owns the deals that arrive, and whether the owners can be told (docs/mapping.md#owners)."""

from collections.abc import Iterator

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.domain.cause import Cause
from shared.foundation.errors import NotFound
from shared.mapping.owner_choice import choice_of, users_query
from shared.mapping.owner_rules import NOTIFICATION_TYPE, OwnerRule, Wanted

NAMED_IN_A_QUERY = 40


def check_owners(installation: Installation) -> Verdict:
    """Check that each user whom the mapping file names can own deals, and that the sync can tell them."""
    file = installation.app.translation.file
    if not file.owners:
        found = (
            "the mapping file has no [[owners]]: deals that arrive belong to the integration user, whom nobody reads"
        )
        return skipped(f"{found} (docs/mapping.md#owners)")
    wanted = [each for number, rule in enumerate(file.owners) for each in _named(f"owners.{number}", rule)]
    faults = [*_faults_of_users(installation, wanted), *_faults_of_notices(installation)]
    if faults:
        return failed("; ".join(faults), "Correct the mapping file, or the users of the org; deploy the package again.")
    return ok(
        f"{len(file.owners)} owner rules; the {len({each.user for each in wanted})} users whom they name are active"
    )


def _named(place: str, rule: OwnerRule) -> Iterator[Wanted]:
    """Yield the users whom a rule names, each with its place in the file."""
    yield from (Wanted(f"{place}.users.{key}", user) for key, user in rule.users.items())
    if rule.user is not None:
        yield Wanted(f"{place}.user", rule.user)


def _faults_of_users(installation: Installation, wanted: list[Wanted]) -> Iterator[str]:
    """Yield the places of users who cannot own a deal. A verdict names no person."""
    own_id = installation.salesforce.user_id()
    for start in range(0, len(wanted), NAMED_IN_A_QUERY):
        some = wanted[start : start + NAMED_IN_A_QUERY]
        users = installation.salesforce.query(*users_query(some).values()).pages[0].records
        for each in some:
            found = choice_of(each.rule, each.user or "", users, own_id)
            if isinstance(found, Cause):
                yield f"{each.rule}: {_KINDS[found.code]}"


_KINDS = {
    "owner_unknown": "the org has no such user",
    "owner_inactive": "the user is not active",
    "owner_ambiguous": "several active users have this e-mail address",
    "owner_unfit": "the user is the integration user, or cannot own deals",
}


def _faults_of_notices(installation: Installation) -> Iterator[str]:
    file = installation.app.translation.file
    if file.notify_owner == "notification" and not installation.org_shape.notifications.get(NOTIFICATION_TYPE):
        yield f"the org lacks the notification type {NOTIFICATION_TYPE}: owners are not told of new deals"
    if file.notify_owner == "task":
        try:
            can_create = installation.describe_object("Task").get("createable")
        except NotFound:
            can_create = False
        if not can_create:
            yield "the integration user may not create tasks: owners are not told of new deals"
