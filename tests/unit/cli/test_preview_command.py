"""`cosell preview`: what it prints of deals, what it calls, and that it writes nothing."""

import json
from contextlib import closing, suppress
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.preview import run_preview
from shared.cli.status import run_status
from shared.foundation.errors import ConfigurationError
from shared.sync.runs import run_push, run_sweep
from tests.unit.cli.golden_text import check_golden, golden_output
from tests.unit.sync.inbound_deals import CUSTOMER, DETAILS

MOST_CALLS = 4
CLOSE = "2035-03-31"
CLOSING = {"closingDateTime": "2035-03-15T00:00:00Z"}


@pytest.fixture(autouse=True)
def _is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC", "on")


def run_app() -> None:
    with closing(App()) as app:
        run_push(app.context)
        run_sweep(app.context)


@pytest.fixture
def deals(systems: Systems) -> dict[str, str]:
    """A deal that both sides edited, and others of each kind; names and ids of both sides, by name."""
    edited = systems.seller_creates("Deal [bold]\x1b[31m", Amount=25_000, CloseDate=CLOSE)
    run_app()
    run_app()
    systems.salesforce.edit("Opportunity", edited, {"Amount": 31_000})
    (referral,) = systems.partner_center.referrals()
    edits = [{"op": "replace", "path": "/details/closingDateTime", "value": "2035-06-30T00:00:00Z"}]
    systems.partner_center.portal_edits(referral["id"], edits)
    known = systems.partner_center.portal_creates({
        "name": "Known to both", "customerProfile": CUSTOMER, "details": {**DETAILS, "dealValue": 10_000, **CLOSING},
    })  # fmt: skip
    arriving = systems.partner_center.microsoft_sends(
        name="From Microsoft", customerProfile=CUSTOMER, details={**DETAILS, "dealValue": 5_000, **CLOSING}
    )
    return {
        "edited": edited,
        "edited referral": referral["id"],
        "new": systems.seller_creates("New deal", CloseDate=CLOSE),
        "held": systems.seller_creates("Without a country", country=None, CloseDate=CLOSE),
        "adopted": systems.seller_creates("Known to both", Referral_Identifier__c=known, CloseDate=CLOSE),
        "adopted referral": known,
        "arriving": arriving,
    }


def calls(systems: Systems) -> list[str]:
    """The calls of both sides since the last count, without sign-ins."""
    found = []
    for journal in (systems.salesforce.journal, systems.partner_center.journal):
        found += [f"{entry.method} {entry.path} {entry.tags}" for entry in journal if not entry.path.endswith("/token")]
        journal.clear()
    return found


def stored() -> list[tuple[str, str, bytes, str]]:
    with closing(App()) as app:
        return [(row.partition, row.key, row.data, row.etag) for row in app.rows.walk("", "~")]


def document(capsys: pytest.CaptureFixture[str], *words: str, all_deals: bool = False) -> Any:  # noqa: ANN401 - JSON
    capsys.readouterr()
    run_preview(golden_output(as_json=True), *words, all_deals=all_deals)
    found: Any = json.loads(capsys.readouterr().out)
    return found


def test_it_prints_deals_by_name_with_what_would_be_done(
    deals: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_preview(golden_output()) is Exit.OK
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    shown = {
        key: f"006AA000000000{number:02}AA"
        if key.startswith("006")
        else f"00000000-0000-4000-8000-0000000000{number:02}"
        for number, key in enumerate(deals.values())
    }
    check_golden("preview", printed, shown)


def test_nothing_is_written(systems: Systems, deals: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    before = stored()
    calls(systems)
    for words in ((), (deals["edited"],), (deals["arriving"],), (deals["adopted"],)):
        document(capsys, *words)
    document(capsys, all_deals=True)
    run_preview(golden_output(), soql="Amount > 1")
    assert stored() == before
    made = calls(systems)
    assert made
    assert [call for call in made if "update" in call or "create" in call or "patch" in call.lower()] == []


def test_one_deal_takes_four_calls_at_most(
    systems: Systems, deals: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, key in deals.items():
        calls(systems)
        found = document(capsys, key)
        made = calls(systems)
        assert len(made) <= MOST_CALLS, (name, made)
        assert (sum(found["reads"].values()), len(found["deals"])) == (len(made), 1), name


def test_the_status_of_one_deal_takes_four_calls_at_most(systems: Systems, deals: dict[str, str]) -> None:
    for name, key in deals.items():
        calls(systems)
        with suppress(ConfigurationError):  # some of them are not linked yet
            run_status(golden_output(as_json=True), key)
        made = calls(systems)
        assert len(made) <= MOST_CALLS, (name, made)


def test_the_document_has_numbers_and_deals(deals: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys)
    assert found["push"] == {
        "creates": 1,
        "adopts": 1,
        "to_partner_center": 1,
        "to_salesforce": 1,
        "held": 1,
        "needs_approval": 0,
    }
    assert found["sweep"] == {
        "creates": 1,
        "adopts": 0,
        "to_partner_center": 1,
        "to_salesforce": 1,
        "held": 0,
        "needs_approval": 0,
    }
    (edited,) = document(capsys, deals["edited"])["deals"]
    (amount,) = edited["to_partner_center"]
    assert (amount["field"], amount["old"], amount["new"]) == ("money", "25000.00 USD", "31000.00 USD")


def test_a_deal_in_step_says_that_nothing_is_to_do(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    deal = systems.seller_creates("In step")
    run_app()
    run_app()
    assert run_preview(golden_output(), deal[:15]) is Exit.OK
    assert "Both sides agree: nothing to do." in capsys.readouterr().out


def test_unknown_ids_conditions_and_choices_have_a_sentence_of_their_own(systems: Systems) -> None:
    with pytest.raises(ConfigurationError, match="knows no opportunity 006AA0000000009AAA"):
        run_preview(golden_output(), "006AA0000000009AAA")
    with pytest.raises(ConfigurationError, match="knows no referral"):
        run_preview(golden_output(), "0a1b2c3d-0000-4000-8000-000000000001")
    with pytest.raises(ConfigurationError, match="is no id of a deal"):
        run_preview(golden_output(), "Fabrikam")
    for condition in ("Amout > 5", "Amount > 'x"):
        with pytest.raises(ConfigurationError, match=rf"--soql: Salesforce cannot use the condition .{condition[:5]}"):
            run_preview(golden_output(), soql=condition)
    with pytest.raises(ConfigurationError, match="give an ID, or --soql FILTER, or --all"):
        run_preview(golden_output(), "006AA0000000009AAA", all_deals=True)
    assert systems.partner_center.referrals() == []


def test_a_referral_of_another_environment_is_left_alone_and_says_so(
    systems: Systems, capsys: pytest.CaptureFixture[str]
) -> None:
    referral = systems.partner_center.portal_creates({"externalReferenceId": "STAGING:006AA0000000001AAA"})
    assert run_preview(golden_output(), referral) is Exit.OK
    assert "left alone: It belongs to another environment: staging." in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "said"), [("1", "syncs it"), ("0", "")])
def test_what_waits_for_an_approval_is_counted_and_not_named_for_a_sync(
    limit: str, said: str, systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one deal that may go, that one is named to be synced; else none is."""
    monkeypatch.setenv("MASS_CHANGE_LIMIT", "1")
    if limit == "0":
        systems.seller_creates("First")
        run_app()
    deals = [systems.seller_creates(f"Deal {number}") for number in range(2)]
    run_preview(golden_output())
    printed = capsys.readouterr().out
    last = printed.splitlines()[-1]
    synced = [deal for deal in deals if f"cosell sync --env local {deal}" in last]
    assert (said in last, len(synced)) == (True, int(limit))
    assert last.endswith("`cosell approve --env local` lets go what waits for it.")
    assert f"│ {2 - int(limit)}        │ of all these deals wait for `cosell approve --env local`" in printed
