"""Which contacts a new opportunity uses: one contact has one role."""

from shared.domain.arrival import Arrival
from shared.domain.cause import Cause
from shared.domain.customer_match import Candidate, Customer
from shared.domain.deal import Company, Deal, Person
from shared.foundation.errors import Rejected
from shared.mapping.account_columns import account_columns
from shared.mapping.company_field import CompanyField
from shared.mapping.creation_draft import DUPLICATES, Draft, with_matches
from shared.mapping.validation import load_mapping

FIELD = next(field for field in load_mapping()[0].fields.values() if isinstance(field, CompanyField))
COLUMNS = account_columns(FIELD, None)
ACCOUNT = Candidate("001", "Fabrikam")
ANNA, BERTA = Person("Vogel", "Anna", "office@fabrikam.example"), Person("Vogel", "Berta", "OFFICE@fabrikam.example")
CUSTOMER, ARRIVAL = Customer(Company("Fabrikam", "DK")), Arrival(Deal({}), (ANNA, BERTA), 2)
SHARED = {"Id": "003", "Email": "office@fabrikam.example", "AccountId": "001"}


def found_duplicate(step: str) -> Rejected:
    return Rejected(Cause(DUPLICATES, None, "Similar.", "", matches=("003",)), step)


def test_of_two_people_with_one_address_only_the_first_uses_the_contact() -> None:
    assert Draft(CUSTOMER, ARRIVAL, [SHARED]).on(ACCOUNT).contacts == {ANNA: "003"}


def test_a_person_whose_contact_another_one_uses_gets_no_second_role() -> None:
    draft = Draft(CUSTOMER, ARRIVAL, account=ACCOUNT, contacts={ANNA: "003"})
    after = with_matches(draft, found_duplicate("contact1"), [SHARED], COLUMNS, tries=3)
    assert (after.arrival.people, after.contacts) == ((ANNA,), {ANNA: "003"})
    assert [gap.cause.code for gap in after.arrival.gaps] == ["contact_taken"]


def test_a_person_with_a_contact_of_their_own_uses_it() -> None:
    draft = Draft(CUSTOMER, ARRIVAL, account=ACCOUNT, contacts={ANNA: "003"})
    after = with_matches(draft, found_duplicate("contact1"), [{**SHARED, "Id": "0034"}], COLUMNS, tries=3)
    assert (after.arrival.people, after.contacts) == ((ANNA, BERTA), {ANNA: "003", BERTA: "0034"})
