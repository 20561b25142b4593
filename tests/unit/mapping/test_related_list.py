"""What is looked up and written for new members of a related list (docs/protocol.md#writing-rows)."""

from typing import override

from shared.clients.salesforce.records import ALLOW_DUPLICATE, Json, Node, Removal
from shared.domain.deal import Person
from shared.domain.records import Row
from shared.domain.untaken_codes import INACTIVE_USER, NO_CONTACT, NO_USER
from shared.mapping.related_list import ContactRows, Found, RowSteps, SolutionRows, Target, TeamRows

DEAL = "006000000000001AAA"
OTHER_DEAL = "006000000000002AAA"
ACCOUNT = "001000000000001AAA"
ADA = Person("Lind", "Ada", "Ada@fabrikam.example", "+45")


class Contacts(ContactRows):
    """Contacts of which only the name is written."""

    @override
    def contact_values(self, value: Person) -> dict[str, object]:
        return {"LastName": value.last_name}


def contact_steps(found: Found, **target: object) -> RowSteps:
    deals = [{"Id": DEAL, "AccountId": ACCOUNT, "OpportunityContactRoles": None}]
    return Contacts().rows_for([ADA], Target("contacts", DEAL, **target), {"deals0": deals, **found})  # type: ignore[arg-type]  # a test passes what it names


def test_the_only_contact_with_the_address_gets_a_role() -> None:
    steps = contact_steps({"contacts0": [{"Id": "003A", "Email": "ada@FABRIKAM.example", "AccountId": "001B"}]})
    values = {"OpportunityId": DEAL, "ContactId": "003A", "IsPrimary": True}
    assert steps.nodes == (Node("contacts0", "OpportunityContactRole", values),)
    assert steps.keys == {"contacts0": "ada@fabrikam.example"}


def test_of_several_contacts_the_oldest_of_the_account_gets_a_role_and_one_of_another_account_none() -> None:
    def contact(number: int, account: str) -> dict[str, object]:
        return {"Id": f"003{number}", "Email": ADA.email, "AccountId": account, "CreatedDate": f"2026-01-0{9 - number}"}

    steps = contact_steps({"contacts0": [contact(1, "001B"), contact(2, ACCOUNT), contact(3, ACCOUNT)]})
    assert steps.nodes[0].values["ContactId"] == "0033"
    steps = contact_steps({"contacts0": [contact(1, "001B"), contact(2, "001C")]})
    assert [node.sobject for node in steps.nodes] == ["Contact", "OpportunityContactRole"]


def test_a_person_without_a_contact_gets_one_on_the_account_of_the_deal() -> None:
    steps = contact_steps({})
    created, role = steps.nodes
    assert created == Node("contacts0_contact", "Contact", {"LastName": "Lind", "AccountId": ACCOUNT})
    assert role.values["ContactId"] == "@{contacts0_contact.id}"
    allowed = contact_steps({}, allowed=frozenset({"ada@fabrikam.example"}))
    assert allowed.nodes[0].headers == ALLOW_DUPLICATE


def test_a_role_that_is_there_is_not_made_again_and_a_second_contact_is_not_primary() -> None:
    roles = {"records": [{"ContactId": "003A", "IsPrimary": True}]}
    deals: list[Json] = [{"Id": DEAL, "AccountId": ACCOUNT, "OpportunityContactRoles": roles}]
    found: Found = {"deals0": deals, "contacts0": [{"Id": "003A", "Email": ADA.email}]}
    assert Contacts().rows_for([ADA], Target("contacts", DEAL), found) == RowSteps()
    other = Person("Berg", "Bo", "bo@fabrikam.example")
    assert Contacts().rows_for([other], Target("contacts", DEAL), found).nodes[-1].values["IsPrimary"] is False


def test_a_person_account_gets_no_further_contact() -> None:
    deals = [{"Id": DEAL, "AccountId": ACCOUNT, "Account": {"IsPersonAccount": True}, "OpportunityContactRoles": None}]
    steps = Contacts().rows_for([ADA], Target("contacts", DEAL), {"deals0": deals})
    assert ([left.code for left in steps.left], steps.nodes) == ([NO_CONTACT], ())


def test_the_look_up_of_contacts_asks_for_addresses_accounts_and_roles() -> None:
    queries = Contacts().lookup([ADA, Person("Å", "Ø", "å@ø.example"), Person("No")], [DEAL])
    assert queries["contacts0"] == (
        "SELECT Id, Email, CreatedDate, AccountId FROM Contact WHERE Email IN ('Ada@fabrikam.example') LIMIT 2000"
    )
    assert queries["deals0"].startswith("SELECT Id, AccountId, (SELECT ContactId, IsPrimary FROM ")


def test_a_solution_that_the_catalogue_has_is_used_as_it_is() -> None:
    found = {"catalogue0": [{"Id": "a01", "Solution_Id__c": "sol-1"}]}
    steps = SolutionRows().rows_for(["SOL-1"], Target("solutions", DEAL, {"sol-1": {"name": "Other"}}), found)
    values = {"Opportunity__c": DEAL, "Solution__c": "a01", "Key__c": f"{DEAL}|SOL-1"}
    assert steps.nodes == (Node("solutions0", "Cosell_Deal_Solution__c", values),)


def test_a_solution_that_the_catalogue_lacks_is_named_as_the_referral_names_it() -> None:
    tag = {"id": "SOL-2", "name": "Robots", "publisherName": "Contoso", "solutionType": "1P"}
    steps = SolutionRows().rows_for(["SOL-2", "SOL-3"], Target("solutions", DEAL, {"sol-2": tag}), {})
    values = {"Name": "Robots", "Solution_Id__c": "SOL-2", "Publisher__c": "Contoso", "Solution_Type__c": "1P"}
    assert steps.nodes[0].values == {**values, "Co_sell_Ready__c": True}
    assert steps.nodes[1].values["Solution__c"] == "@{solutions0_catalogue.id}"
    assert steps.nodes[2].values == {"Name": "SOL-3", "Solution_Id__c": "SOL-3", "Co_sell_Ready__c": True}
    assert set(steps.keys.values()) == {"sol-2", "sol-3"}


def test_sixty_solutions_are_found_by_one_query_and_the_rows_of_their_deals_by_another() -> None:
    ids = [f"SOL-{number}" for number in range(61)]
    assert sorted(SolutionRows().lookup(ids[:60], [DEAL])) == ["catalogue0", "present0"]
    assert sorted(SolutionRows().lookup(ids, [DEAL])) == ["catalogue0", "catalogue1", "present0"]
    assert SolutionRows().lookup(ids[:60], ()).keys() == {"catalogue0"}


def test_a_row_that_is_there_is_not_made_again_and_one_whose_key_is_taken_has_none() -> None:
    row = {"Opportunity__c": DEAL, "Key__c": f"{DEAL}|SOL-2", "Solution__r": {"Solution_Id__c": "SOL-1"}}
    found: Found = {"present0": [row], "catalogue0": [{"Id": "a02", "Solution_Id__c": "SOL-2"}]}
    assert SolutionRows().rows_for(["sol-1"], Target("solutions", DEAL), found) == RowSteps()
    assert SolutionRows().rows_for(["sol-1"], Target("solutions", OTHER_DEAL), found) != RowSteps()
    steps = SolutionRows().rows_for(["SOL-2"], Target("solutions", DEAL), found)
    assert steps.nodes[0].values == {"Opportunity__c": DEAL, "Solution__c": "a02"}


def test_an_active_user_becomes_a_member_and_the_others_are_left_out() -> None:
    def user(number: int, **values: object) -> dict[str, object]:
        day = f"2026-01-0{number}"
        return {
            "Id": f"005{number}",
            "Email": ADA.email,
            "CreatedDate": day,
            "IsActive": True,
            "UserType": "Standard",
        } | values

    def steps(*users: dict[str, object]) -> RowSteps:
        return TeamRows().rows_for([ADA], Target("team", DEAL), {"users0": users})

    portal = user(1, UserType="PowerCustomerSuccess")
    assert steps(portal, user(2, IsActive=False), user(4), user(3)).nodes[0].values["UserId"] == "0053"
    assert [left.code for left in steps(portal).left] == [NO_USER]
    assert [left.code for left in steps(user(1, IsActive=False)).left] == [INACTIVE_USER]


def test_all_rows_of_a_removed_member_are_deleted_and_no_others() -> None:
    rows = (Row("a02", "sol-1"), Row("a03", "sol-2"), Row("a04", "sol-1"))
    steps = SolutionRows().removals_of({"sol-1", "sol-9"}, "solutions", rows)
    assert [step.record for step in steps] == ["a02", "a04"]
    assert steps[0] == Removal("solutions_removed0", "Cosell_Deal_Solution__c", "a02")
