"""The org is asked for its currencies, at most once an hour (docs/protocol.md#currencies)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_currencies import ASK_AGAIN, ask_currencies, known_currencies
from shared.domain.currencies import OrgCurrencies
from shared.foundation.errors import Unavailable
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

COLUMNS = ("Partner_Center_Amount__c", "Partner_Center_Currency__c")
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
        self.known: tuple[OrgCurrencies, datetime] | None = None

    def org_currencies(self) -> tuple[OrgCurrencies, datetime] | None:
        return self.known

    def keep_org_currencies(self, currencies: OrgCurrencies, at: datetime) -> None:
        self.known = (currencies, at)


def calls_of(org: EmulatedOrg) -> int:
    return len(org.emulator.journal)


def test_an_org_with_several_currencies_names_the_active_ones_in_one_call(several: EmulatedOrg) -> None:
    several.emulator.set_currency_active("GBP", active=False)
    answer = ask_currencies(several.salesforce, COLUMNS)
    assert (answer.has_several, answer.has_amount_fields, answer.only_one) == (True, True, None)
    assert answer.codes == {"USD", "EUR", "CHF", "JPY", "TWD"}
    assert calls_of(several) == 1


def test_an_org_with_one_currency_names_it(single: EmulatedOrg) -> None:
    answer = ask_currencies(single.salesforce, COLUMNS)
    assert answer == OrgCurrencies(has_several=False, codes=frozenset({"USD"}), has_amount_fields=True)
    assert answer.only_one == "USD"
    assert calls_of(single) == 3


def test_an_org_that_does_not_name_its_only_currency_is_known_to_have_one(single: EmulatedOrg) -> None:
    del single.emulator.org.model.get("Organization").fields["defaultcurrencyisocode"]
    answer = ask_currencies(single.salesforce, COLUMNS)
    assert (answer.has_several, answer.codes, answer.only_one) == (False, frozenset(), None)


def test_a_hidden_currency_column_does_not_make_an_org_one_with_one_currency(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields["currencyisocode"]
    answer = ask_currencies(several.salesforce, COLUMNS)
    assert answer.has_several
    assert "EUR" in answer.codes


def test_an_org_that_describes_no_currency_is_asked_for_its_list(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["currencyisocode"] = replace(fields["currencyisocode"], values_from="", restricted=False)
    assert "EUR" in ask_currencies(several.salesforce, COLUMNS).codes


def test_an_org_with_the_earlier_package_has_no_fields_for_other_amounts(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields[COLUMNS[1].lower()]
    assert not ask_currencies(several.salesforce, COLUMNS).has_amount_fields


def test_the_org_is_asked_once_an_hour_by_all_instances_together(several: EmulatedOrg) -> None:
    memory, times = Memory(), [NOON, NOON + timedelta(minutes=59), NOON + ASK_AGAIN]
    clock = iter(times)
    answers = [known_currencies(several.salesforce, memory, COLUMNS, clock.__next__) for _ in times]
    assert [again for _, again in answers] == [NOON + ASK_AGAIN, NOON + ASK_AGAIN, NOON + 2 * ASK_AGAIN]
    assert calls_of(several) == 2


def test_the_former_answer_holds_while_the_org_does_not_answer(
    several: EmulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, later = Memory(), NOON + 2 * ASK_AGAIN
    before, _ = known_currencies(several.salesforce, memory, COLUMNS, lambda: NOON)

    def no_answer(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(several.salesforce, "describe", no_answer)
    assert known_currencies(several.salesforce, memory, COLUMNS, lambda: later) == (before, later + ASK_AGAIN)
    with pytest.raises(Unavailable):
        known_currencies(several.salesforce, Memory(), COLUMNS, lambda: NOON)
