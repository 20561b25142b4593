"""The org is asked for its currencies and our columns, at most once an hour (docs/protocol.md#what-the-org-has)."""

import json
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import add

import pytest

from emulators.salesforce import SalesforceEmulator
from shared import __version__
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ASK_AGAIN, VERSION_COLUMN, ask_shape, known_shape
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import OrgShape
from shared.foundation.errors import Unavailable
from shared.mapping.validation import load_mapping
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

COLUMNS = load_mapping()[0].ours.model_dump()
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


def test_an_org_with_several_currencies_names_the_active_ones_in_one_call(several: EmulatedOrg) -> None:
    several.emulator.set_currency_active("GBP", active=False)
    answer = ask_shape(several.salesforce, COLUMNS).currencies
    assert (answer.has_several, answer.has_amount_fields, answer.only_one) == (True, True, None)
    assert answer.codes == {"USD", "EUR", "CHF", "JPY", "TWD"}
    assert calls_of(several) == 1


def test_an_org_with_one_currency_names_it(single: EmulatedOrg) -> None:
    answer = ask_shape(single.salesforce, COLUMNS).currencies
    assert answer == OrgCurrencies(has_several=False, codes=frozenset({"USD"}), has_amount_fields=True)
    assert answer.only_one == "USD"
    assert calls_of(single) == 3


def test_an_org_that_does_not_name_its_only_currency_is_known_to_have_one(single: EmulatedOrg) -> None:
    del single.emulator.org.model.get("Organization").fields["defaultcurrencyisocode"]
    answer = ask_shape(single.salesforce, COLUMNS).currencies
    assert (answer.has_several, answer.codes, answer.only_one) == (False, frozenset(), None)


def test_a_hidden_currency_column_does_not_make_an_org_one_with_one_currency(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields["currencyisocode"]
    answer = ask_shape(several.salesforce, COLUMNS).currencies
    assert answer.has_several
    assert "EUR" in answer.codes


def test_an_org_that_describes_no_currency_is_asked_for_its_list(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["currencyisocode"] = replace(fields["currencyisocode"], values_from="", restricted=False)
    assert "EUR" in ask_shape(several.salesforce, COLUMNS).currencies.codes


def test_an_org_with_the_earlier_package_has_no_fields_for_other_amounts(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields[AMOUNT]
    shape = ask_shape(several.salesforce, COLUMNS)
    assert not shape.currencies.has_amount_fields
    assert shape.missing == ("Partner_Center_Amount__c",)


def test_the_package_of_this_version_lacks_nothing_and_names_its_version(several: EmulatedOrg) -> None:
    shape = ask_shape(several.salesforce, COLUMNS)
    assert (shape.missing, shape.package) == ((), __version__)
    assert shape.statuses == frozenset({"Synced", "Synced with differences", "Waiting", "Failed"})


def test_a_package_without_the_version_field_has_no_version(several: EmulatedOrg) -> None:
    del several.emulator.org.model.get("Opportunity").fields[VERSION_COLUMN.lower()]
    assert ask_shape(several.salesforce, COLUMNS).package is None


def test_a_status_that_takes_any_text_lacks_no_value(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    fields["sync_status__c"] = replace(fields["sync_status__c"], restricted=False, values=())
    assert ask_shape(several.salesforce, COLUMNS).statuses is None


def test_a_column_that_the_user_may_not_write_counts_as_missing(several: EmulatedOrg) -> None:
    fields = several.emulator.org.model.get("Opportunity").fields
    for name in ("audit__c", "how_can_microsoft_help__c"):
        fields[name] = replace(fields[name], writable=False)
    shape = ask_shape(several.salesforce, COLUMNS)
    assert (shape.missing, shape.hidden) == (("Audit__c",), frozenset()), "the sync only reads the help"


def test_the_org_is_asked_once_an_hour_by_all_instances_together(several: EmulatedOrg) -> None:
    memory, times = Memory(), [NOON, NOON + timedelta(minutes=59), NOON + ASK_AGAIN]
    clock = iter(times)
    answers = [known_shape(several.salesforce, memory, COLUMNS, clock.__next__, __version__) for _ in times]
    assert [again for _, again in answers] == [NOON + ASK_AGAIN, NOON + ASK_AGAIN, NOON + 2 * ASK_AGAIN]
    assert calls_of(several) == 2


def test_the_former_answer_holds_while_the_org_does_not_answer(
    several: EmulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, later = Memory(), NOON + 2 * ASK_AGAIN
    before, _ = known_shape(several.salesforce, memory, COLUMNS, lambda: NOON, __version__)

    def no_answer(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(several.salesforce, "describe", no_answer)
    assert known_shape(several.salesforce, memory, COLUMNS, lambda: later, __version__) == (before, later + ASK_AGAIN)
    with pytest.raises(Unavailable):
        known_shape(several.salesforce, Memory(), COLUMNS, lambda: NOON, __version__)


def test_what_the_package_lacks_is_logged_once_until_it_changes(
    several: EmulatedOrg, caplog: pytest.LogCaptureFixture
) -> None:
    memory, fields = Memory(), several.emulator.org.model.get("Opportunity").fields
    known_shape(several.salesforce, memory, COLUMNS, lambda: NOON, __version__)
    assert "package_differs" not in caplog.text, "the package is the app's own"
    del fields[VERSION_COLUMN.lower()], fields[AMOUNT]
    for hours in range(1, 4):
        now = partial(add, NOON, hours * ASK_AGAIN)
        known_shape(several.salesforce, memory, COLUMNS, now, __version__)
    [event] = [record.getMessage() for record in caplog.records if "package_differs" in record.getMessage()]
    assert json.loads(event) == {
        "event": "package_differs", "package": None, "missing": ["Partner_Center_Amount__c"],
    }  # fmt: skip
