"""The org is asked for its currencies and our columns, at most once an hour (docs/protocol.md#what-the-org-has)."""

import json
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import add

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.field_shapes import reference_field, text_field
from emulators.salesforce.org_switches import RecordTypeWish, make_record_type, turn_on_person_accounts
from shared import __version__
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ASK_AGAIN, VERSION_COLUMN, ask_shape, known_shape, teams_since
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import Column, OrgQuestion, OrgShape, RecordType
from shared.foundation.errors import NotFound, Rejected, Unavailable
from shared.mapping.validation import load_mapping
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulated_rights import rights_without

QUESTION = load_mapping()[0].question
AMOUNT = "partner_center_amount__c"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def several(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(), fake, salesforce)


@pytest.fixture
def single(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(multi_currency=False), fake, salesforce)


class Memory:
    """Keeps one answer."""

    def __init__(self) -> None:
        self.known: tuple[OrgShape, datetime] | None = None

    def org_shape(self) -> tuple[OrgShape, datetime] | None:
        return self.known

    def keep_org_shape(self, shape: OrgShape, at: datetime) -> None:
        self.known = (shape, at)


def calls_of(org: EmulatedOrg) -> int:
    return len(org.emulator.journal)


def test_an_org_with_several_currencies_names_the_active_ones_in_its_description(several: EmulatedOrg) -> None:
    several.emulator.set_currency_active("GBP", active=False)
    answer = ask_shape(several.salesforce, QUESTION).currencies
    assert (answer.has_several, answer.has_amount_fields, answer.only_one) == (True, True, None)
    assert answer.codes == {"USD", "EUR", "CHF", "JPY", "TWD"}
    assert calls_of(several) == 2


def test_an_org_with_one_currency_names_it(single: EmulatedOrg) -> None:
    answer = ask_shape(single.salesforce, QUESTION).currencies
    assert answer == OrgCurrencies(has_several=False, codes=frozenset({"USD"}), has_amount_fields=True)
    assert answer.only_one == "USD"
    assert calls_of(single) == 4


def test_an_org_that_does_not_name_its_only_currency_is_known_to_have_one(single: EmulatedOrg) -> None:
    del single.emulator.org.model.get("Organization").fields["defaultcurrencyisocode"]
    answer = ask_shape(single.salesforce, QUESTION).currencies
    assert (answer.has_several, answer.codes, answer.only_one) == (False, frozenset(), None)


def test_a_hidden_currency_column_does_not_make_an_org_one_with_one_currency(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields["currencyisocode"]
    answer = ask_shape(several.salesforce, QUESTION).currencies
    assert answer.has_several
    assert "EUR" in answer.codes


def test_an_org_that_describes_no_currency_is_asked_for_its_list(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["currencyisocode"] = replace(fields["currencyisocode"], values_from="", restricted=False)
    assert "EUR" in ask_shape(several.salesforce, QUESTION).currencies.codes


def test_an_org_with_the_earlier_package_has_no_fields_for_other_amounts(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields[AMOUNT]
    shape = ask_shape(several.salesforce, QUESTION)
    assert not shape.currencies.has_amount_fields
    assert shape.missing == ("Partner_Center_Amount__c",)


def test_the_package_of_this_version_lacks_nothing_and_names_its_version(several: EmulatedOrg) -> None:
    shape = ask_shape(several.salesforce, QUESTION)
    assert (shape.missing, shape.package) == ((), __version__)
    assert shape.statuses == frozenset({"Synced", "Synced with differences", "Waiting", "Failed"})


def test_a_package_without_the_version_field_has_no_version(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields[VERSION_COLUMN.lower()]
    assert ask_shape(several.salesforce, QUESTION).package is None


def test_a_status_that_takes_any_text_lacks_no_value(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["sync_status__c"] = replace(fields["sync_status__c"], restricted=False, values=())
    assert ask_shape(several.salesforce, QUESTION).statuses is None


def test_a_column_that_the_user_may_not_write_counts_as_missing(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    for name in ("audit__c", "customer_consents__c"):
        fields[name] = replace(fields[name], writable=False)
    shape = ask_shape(several.salesforce, QUESTION)
    assert (shape.missing, shape.hidden) == (("Audit__c",), frozenset()), "the sync only reads the consent"


def test_a_mapped_column_is_known_by_the_spelling_of_the_org(several: EmulatedOrg) -> None:
    lower = {**QUESTION.ours, "flag": "sync_with_partner_center__C"}
    question = OrgQuestion(lower, frozenset({"amount", "account.billingcity", "contact.EMAIL", "Owner.Phone"}))
    shape = ask_shape(several.salesforce, question)
    assert {path: column.path for path, column in shape.columns.items()} == {
        "amount": "Amount",
        "account.billingcity": "Account.BillingCity",
        "contact.email": "Contact.Email",
        "owner.phone": "Owner.Phone",
    }
    assert calls_of(several) == 1


def test_a_column_that_the_user_does_not_see_is_absent_and_one_that_was_not_asked_counts_as_seen(
    several: EmulatedOrg,
) -> None:
    del several.emulator.org.model.get("Account").fields["billingstate"]
    shape = ask_shape(several.salesforce, QUESTION)
    assert shape.column("Account.BillingState") is None
    assert shape.column("Account.BillingCity") == Column("Account.BillingCity")
    assert shape.column("Campaign.Name") == Column("Campaign.Name"), "nobody asked"


def test_a_column_that_the_user_may_not_write_is_known_as_such(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["amount"] = replace(fields["amount"], writable=False)
    shape = ask_shape(several.salesforce, QUESTION)
    assert shape.column("Amount") == Column("Amount", createable=False, updateable=False, is_number=True)


def hide_object(org: EmulatedOrg, name: str) -> None:
    rights = rights_without(org.emulator.org.model, objects=[name])
    org.emulator.org.rights_of = lambda _: rights


def test_an_object_that_the_user_may_not_see_hides_its_columns_only(several: EmulatedOrg) -> None:
    hide_object(several, "Contact")
    shape = ask_shape(several.salesforce, QUESTION)
    assert shape.column("Contact.Email") is None
    assert shape.column("Amount") is not None


def test_without_opportunities_there_is_no_answer(several: EmulatedOrg) -> None:
    hide_object(several, "Opportunity")
    with pytest.raises(NotFound):
        ask_shape(several.salesforce, QUESTION)


def test_a_path_through_a_further_object_is_asked_with_one_more_call(several: EmulatedOrg) -> None:
    several.emulator.org.put_field("Opportunity", reference_field("Campaign", "Lead"))
    question = OrgQuestion(QUESTION.ours, frozenset({"account.PARENT.name", "Campaign.Company", "No__r.Name"}))
    shape = ask_shape(several.salesforce, question)
    assert {column.path for column in shape.columns.values()} == {"Account.Parent.Name", "Campaign.Company"}
    assert calls_of(several) == 2


def test_an_org_without_features_names_none(several: EmulatedOrg) -> None:
    shape = ask_shape(several.salesforce, QUESTION)
    assert (shape.has_address_picklists, shape.has_person_accounts) == (False, False)
    assert shape.record_types == {"Opportunity": (), "Account": ()}


def test_an_org_with_person_accounts_names_the_record_types_of_people_with_one_more_call(several: EmulatedOrg) -> None:
    emulator = several.emulator
    ids = turn_on_person_accounts(emulator.org, emulator.founding.administrator)
    shape = ask_shape(several.salesforce, QUESTION)
    assert shape.has_person_accounts
    assert shape.record_types["Account"] == (
        RecordType("Business_Account", ids["business"], is_default=True),
        RecordType("PersonAccount", ids["person"], is_person=True),
    )
    assert calls_of(several) == 3


def test_active_record_types_are_known_by_developer_name(several: EmulatedOrg) -> None:
    org, user = several.emulator.org, several.emulator.founding.administrator
    partner = make_record_type(org, RecordTypeWish("Opportunity", "Partner_Deal"), user)
    make_record_type(org, RecordTypeWish("Opportunity", "Old_Deal", active=False), user)
    shape = ask_shape(several.salesforce, QUESTION)
    assert shape.record_type("Opportunity", "partner_deal") == RecordType("Partner_Deal", partner)
    assert shape.record_type("Opportunity", "Old_Deal") is None


def test_an_org_with_address_picklists_is_known(several: EmulatedOrg) -> None:
    several.emulator.org.put_field("Account", text_field("BillingCountryCode", 10))
    assert ask_shape(several.salesforce, QUESTION).has_address_picklists


def test_another_mapping_asks_at_once(several: EmulatedOrg) -> None:
    memory, other = Memory(), OrgQuestion(QUESTION.ours, frozenset({"Amount", "NextStep"}))
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)
    shape, _ = known_shape(several.salesforce, memory, other, lambda: NOON, __version__)
    assert shape.asked == {"amount", "nextstep"}
    assert calls_of(several) == 3


def test_an_answer_of_an_earlier_build_holds_while_the_org_does_not_answer(
    several: EmulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, earlier = Memory(), OrgShape(OrgCurrencies(has_several=True, codes=frozenset({"USD"})))
    memory.keep_org_shape(earlier, NOON)

    def no_answer(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(several.salesforce, "describe_together", no_answer)
    assert known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)[0] == earlier


def test_the_org_is_asked_once_an_hour_by_all_instances_together(several: EmulatedOrg) -> None:
    memory, times = Memory(), [NOON, NOON + timedelta(minutes=59), NOON + ASK_AGAIN]
    clock = iter(times)
    answers = [known_shape(several.salesforce, memory, QUESTION, clock.__next__, __version__) for _ in times]
    assert [again for _, again in answers] == [NOON + ASK_AGAIN, NOON + ASK_AGAIN, NOON + 2 * ASK_AGAIN]
    assert calls_of(several) == 4


def test_a_refused_column_lets_the_org_be_asked_again_soon(several: EmulatedOrg) -> None:
    memory, soon = Memory(), NOON + timedelta(minutes=6)
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)
    several.emulator.org.rights_of = lambda _: rights_without(several.emulator.org.model, hidden=["Opportunity.Amount"])
    with pytest.raises(Rejected):
        several.salesforce.query("SELECT Amount FROM Opportunity")
    assert several.salesforce.met_unknown_column
    shape, again = known_shape(several.salesforce, memory, QUESTION, lambda: soon, __version__)
    assert (shape.column("Amount"), again) == (None, soon + ASK_AGAIN)
    assert not several.salesforce.met_unknown_column


def test_a_refused_object_lets_the_org_be_asked_again_soon(several: EmulatedOrg) -> None:
    with pytest.raises(Rejected):
        several.salesforce.query("SELECT Id FROM OpportunityTeamMember")
    assert several.salesforce.met_unknown_column


def test_what_asking_itself_meets_asks_no_second_time(single: EmulatedOrg) -> None:
    """An org with one currency refuses the question for its currencies."""
    known_shape(single.salesforce, Memory(), QUESTION, lambda: NOON, __version__)
    assert not single.salesforce.met_unknown_column


def test_a_column_that_stays_refused_asks_at_most_every_few_minutes(several: EmulatedOrg) -> None:
    memory = Memory()
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)
    with pytest.raises(Rejected):
        several.salesforce.query("SELECT Nope__c FROM Opportunity")
    asked = calls_of(several)
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON + timedelta(minutes=1), __version__)
    assert calls_of(several) == asked
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON + timedelta(minutes=5), __version__)
    assert calls_of(several) > asked, "an early question is not forgotten"


def test_the_former_answer_holds_while_the_org_does_not_answer(
    several: EmulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, later = Memory(), NOON + 2 * ASK_AGAIN
    before, _ = known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)

    def no_answer(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(several.salesforce, "describe_together", no_answer)
    assert known_shape(several.salesforce, memory, QUESTION, lambda: later, __version__) == (before, later + ASK_AGAIN)
    with pytest.raises(Unavailable):
        known_shape(several.salesforce, Memory(), QUESTION, lambda: NOON, __version__)


def test_what_the_package_lacks_is_logged_once_until_it_changes(
    several: EmulatedOrg, caplog: pytest.LogCaptureFixture
) -> None:
    memory, fields = Memory(), several.emulator.org.model.get("Opportunity").fields
    known_shape(several.salesforce, memory, QUESTION, lambda: NOON, __version__)
    assert "package_differs" not in caplog.text, "the package is the app's own"
    del fields[VERSION_COLUMN.lower()], fields[AMOUNT]
    for hours in range(1, 4):
        now = partial(add, NOON, hours * ASK_AGAIN)
        known_shape(several.salesforce, memory, QUESTION, now, __version__)
    [event] = [record.getMessage() for record in caplog.records if "package_differs" in record.getMessage()]
    assert json.loads(event) == {
        "event": "package_differs", "package": None, "missing": ["Partner_Center_Amount__c"],
    }  # fmt: skip


def test_the_notification_type_is_asked_for_where_owners_are_told(several: EmulatedOrg) -> None:
    question = replace(QUESTION, notification="Cosell_New_Deal")
    shape = ask_shape(several.salesforce, question)
    [record] = several.emulator.records("CustomNotificationType")
    assert (shape.notifications, shape.missing) == ({"Cosell_New_Deal": record["Id"]}, ())
    lacking = ask_shape(several.salesforce, replace(question, notification="Another_Type"))
    assert (lacking.notifications, lacking.missing) == ({"Another_Type": None}, ("Another_Type",))


def test_an_answer_without_the_notification_type_is_asked_for_again_at_once(several: EmulatedOrg) -> None:
    memory, ask = Memory(), partial(known_shape, several.salesforce)
    ask(memory, QUESTION, lambda: NOON, __version__)
    shape, _ = ask(memory, replace(QUESTION, notification="Cosell_New_Deal"), lambda: NOON, __version__)
    assert shape.notifications["Cosell_New_Deal"]


def test_teams_that_are_found_again_are_known_with_the_time() -> None:
    path = "opportunityteammember.userid"
    column = Column("OpportunityTeamMember.UserId")
    without = OrgShape(OrgCurrencies(has_several=False), asked=frozenset({path}))
    having, at = replace(without, columns={path: column}), datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert teams_since(having, having, at) == ""
    assert teams_since(without, having, at) == "202611221000"
    assert teams_since(replace(having, teams="202611221000"), without, at) == "202611221000"
    never_asked = OrgShape(OrgCurrencies(has_several=False))
    assert teams_since(never_asked, having, at) == "", "an earlier build did not ask"
