"""The doctor says who owns the deals that arrive, and whether the owners can be told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.systems import Systems
from shared.doctor.finding import Result
from tests.unit.doctor.conftest import Doctor

SELLER = "sam.seller@partner.example"
type UseRules = Callable[[str], None]


@pytest.fixture
def use_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseRules:
    def used(rules: str) -> None:
        path = tmp_path / "owners.toml"
        path.write_text(f'extends = "default"\n{rules}\n', "utf-8")
        monkeypatch.setenv("MAPPING", str(path))

    return used


def make_user(systems: Systems, username: str, **values: object) -> None:
    person = {"Username": username, "LastName": "Example", "Email": username, "UserType": "Standard", **values}
    systems.salesforce.insert("User", person, user=systems.salesforce.founding.administrator)


def test_without_rules_it_says_that_nobody_reads_what_the_integration_user_owns(doctor: Doctor) -> None:
    verdict = doctor.run("owners")["owners"]
    assert verdict.result is Result.SKIPPED
    assert "deals that arrive belong to the integration user, whom nobody reads" in verdict.found


def test_users_who_can_own_deals_pass(doctor: Doctor, use_rules: UseRules) -> None:
    use_rules(f'[[owners]]\nby = "country"\nusers = {{ DE = "{SELLER}" }}\n[[owners]]\nby = "user"\nuser = "{SELLER}"')
    assert doctor.run("owners")["owners"].found == "2 owner rules; the 1 users whom they name are active"


def test_each_user_who_cannot_own_deals_is_named_by_their_place(
    doctor: Doctor, systems: Systems, use_rules: UseRules
) -> None:
    make_user(systems, "gone@partner.example", IsActive=False)
    make_user(systems, "one@partner.example", Email="two@partner.example")
    make_user(systems, "other@partner.example", Email="two@partner.example")
    make_user(systems, "portal@partner.example", UserType="CloudIntegrationUser")
    users = "{ DE = 'gone@partner.example', AT = 'two@partner.example', CH = 'portal@partner.example' }"
    use_rules(f'[[owners]]\nby = "country"\nusers = {users}\n[[owners]]\nby = "user"\nuser = "nobody@partner.example"')
    assert doctor.failed_verdict("owners").found == (
        "owners.0.users.DE: the user is not active; "
        "owners.0.users.AT: several active users have this e-mail address; "
        "owners.0.users.CH: the user is the integration user, or cannot own deals; "
        "owners.1.user: the org has no such user"
    )


def test_a_package_without_the_notification_type_fails(doctor: Doctor, systems: Systems, use_rules: UseRules) -> None:
    use_rules(f'[[owners]]\nby = "user"\nuser = "{SELLER}"')
    org = systems.salesforce.org
    for record in list(org.stored_records("CustomNotificationType")):
        org.put("CustomNotificationType", record["Id"], None)
    org.clear_undo_log()
    try:
        found = doctor.failed_verdict("owners").found
    finally:
        systems.salesforce.reset_state()
    assert found == "the org lacks the notification type Cosell_New_Deal: owners are not told of new deals"


def test_a_user_who_may_not_make_tasks_fails(doctor: Doctor, systems: Systems, use_rules: UseRules) -> None:
    use_rules(f'notify_owner = "task"\n[[owners]]\nby = "user"\nuser = "{SELLER}"')
    tasks = systems.salesforce.org.model.get("Task")
    tasks.setup = True
    found = doctor.failed_verdict("owners").found
    tasks.setup = False
    assert found == "the integration user may not create tasks: owners are not told of new deals"
