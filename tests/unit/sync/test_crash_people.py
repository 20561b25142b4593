"""A process crashes at each call of a push or a pull that changes the people of a deal, and another one takes over."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    MO,
    add_contact,
    colleague_lists_contacts,
    contacts_here,
    contacts_there,
    deal_with,
    remove_contact,
    save,
)


@dataclass(frozen=True)
class PeopleScenario:
    """A change of the contacts, the run that carries it, and who is there at the end."""

    arrange: Callable[[Harness], str]
    run: Callable[[Instance], object]
    people: set[str]


def added_here(harness: Harness) -> str:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    save(harness, deal)
    return deal


def removed_here(harness: Harness) -> str:
    deal = deal_with(harness, KIM, LEE)
    lee = next(each["Id"] for each in harness.salesforce.records("Contact") if each["LastName"] == "Holm")
    remove_contact(harness, deal, lee)
    return deal


def changed_on_both_sides(harness: Harness) -> str:
    deal = deal_with(harness, KIM, LEE)
    there = harness.referral_of(deal)["customerProfile"]["team"]
    lee = next(each["Id"] for each in harness.salesforce.records("Contact") if each["LastName"] == "Holm")
    remove_contact(harness, deal, lee)
    colleague_lists_contacts(harness, deal, *there, MO)
    return deal


def pull(instance: Instance) -> object:
    (referral,) = instance.harness.our_referrals()
    return instance.pull_event(referral["id"])


SCENARIOS = {
    "added here": PeopleScenario(added_here, Instance.push, {KIM["Email"], LEE["Email"]}),
    "removed here": PeopleScenario(removed_here, Instance.push, {KIM["Email"]}),
    "changed on both sides": PeopleScenario(changed_on_both_sides, pull, {KIM["Email"], MO["email"]}),
}


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_call_loses_nobody_and_brings_back_nobody(name: str, every: int) -> None:
    scenario = SCENARIOS[name]
    points, _ = crash_points(scenario.arrange, scenario.run)
    for number in every_nth(points, every):
        with Harness() as harness:
            deal = scenario.arrange(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(scenario.run)
            recover_after_lease(harness)
            assert (set(contacts_here(harness, deal)), set(contacts_there(harness, deal))) == (
                scenario.people,
                scenario.people,
            )
            assert len(contacts_here(harness, deal)) == len(contacts_there(harness, deal)) == len(scenario.people)
            assert_quiet(harness)
