"""`cosell backfill`: it proposes links, and stores those that a person has reviewed; the app merges them."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.backfill import run_apply, run_propose
from shared.cli.exit_codes import Exit
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output
from shared.domain.link import Intent, Link
from shared.foundation.errors import ConfigurationError, Rejected
from shared.mapping.backfill_file import COLUMNS
from shared.operations import backfill
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import WIDTH, check_golden

type Lines = list[dict[str, str]]


@pytest.fixture
def file(tmp_path: Path, systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file for proposals about three deals: one says its id, one looks alike, and one has no match."""
    monkeypatch.setenv("SYNC", "on")
    named = existing_deal(systems, "Named")
    alike = existing_deal(systems, "Alike")
    existing_referral(systems, "Named", externalReferenceId=named)
    existing_referral(systems, "Alike")
    existing_referral(systems, "Lonely", customerProfile={"name": "Nobody Inc"}, details={"dealValue": 77})
    assert alike
    return tmp_path / "pairs.csv"


def existing_deal(systems: Systems, name: str, **values: Any) -> str:  # noqa: ANN401 - values of any field
    return systems.seller_creates(name, **{"Sync_with_Partner_Center__c": False, **values})


def existing_referral(systems: Systems, name: str, **body: Any) -> str:  # noqa: ANN401 - values of any field
    customer = {"name": f"{name} Ltd", "address": {"country": "US"}}
    details = {"dealValue": 10_000, "currency": "USD"}
    return systems.partner_center.portal_creates(
        {"name": name, "customerProfile": customer, "details": details, **body}
    )


def read(file: Path) -> Lines:
    return [*csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))]


def write(file: Path, lines: Lines, delimiter: str = ",") -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(lines)
    file.write_text(out.getvalue(), "utf-8")


def decide(file: Path, change: Callable[[dict[str, str]], Any]) -> None:
    lines = read(file)
    for line in lines:
        change(line)
    write(file, lines)


def apply(file: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[Exit, dict[str, Any]]:  # noqa: ANN401 - values of any field
    capsys.readouterr()
    code = run_apply(Output(as_json=True), file, **{"yes": True, "dry_run": False, **options})
    return code, json.loads(capsys.readouterr().out)


def links() -> dict[str, str | None]:
    with closing(App()) as app:
        return {entry.value.opportunity_id: entry.value.referral_id for entry in app.store.links()}


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)


def test_only_a_pair_that_an_id_names_is_decided_already(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_propose(Output(as_json=True), file) is Exit.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["certain"], document["to_review"], document["nothing_found"]) == (1, 1, 1)
    named, alike, lonely = read(file)
    assert (named["decision"], named["score"], named["reasons"]) == ("link", "100", "external reference")
    assert (alike["decision"], alike["reasons"]) == ("", "customer and country, money, name, solution")
    assert (lonely["decision"], lonely["opportunity_id"], lonely["reasons"]) == ("", "", "nothing found")
    assert links() == {}


def test_what_is_reviewed_is_linked_once_and_nothing_is_created(
    systems: Systems, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_propose(Output(as_json=True), file)
    decide(file, lambda line: line.update(decision="link" if line["opportunity_id"] else "skip"))
    code, document = apply(file, capsys)
    assert (code, document["to_link"], document["stored"], document["unticked"]) == (Exit.OK, 2, 2, 2)
    push()
    linked = {line["opportunity_id"]: line["referral_id"] for line in read(file) if line["decision"] == "link"}
    assert links() == linked
    for opportunity, referral in linked.items():
        assert systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"] == referral
    assert len(systems.salesforce.records("Opportunity")) == 2
    assert len(systems.partner_center.referrals()) == 3
    code, document = apply(file, capsys)
    assert (code, document["to_link"], document["linked"]) == (Exit.OK, 0, 2)


def test_a_dry_run_and_a_no_store_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_propose(Output(as_json=True), file)
    assert apply(file, capsys, dry_run=True)[0] is Exit.OK
    assert apply(file, capsys, yes=False)[0] is Exit.PROBLEM
    assert links() == {}


def test_a_stop_between_two_rows_is_completed_by_the_same_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_propose(Output(as_json=True), file)
    with monkeypatch.context() as stopped:
        stopped.setattr("shared.operations.backfill._insert_link", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            apply(file, capsys)
    assert links() == {}
    assert apply(file, capsys)[1]["stored"] == 1
    assert len(links()) == 1


@pytest.mark.parametrize("is_late", [False, True])
def test_a_pair_on_which_the_app_works_is_left_as_it_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_late: bool
) -> None:
    run_propose(Output(as_json=True), file)
    named = read(file)[0]
    with closing(App()) as app:
        app.store.insert_link(Link(named["opportunity_id"], intent=Intent()))
    if is_late:  # the app began behind the first look
        sound = backfill._reason_of_link
        looks = iter(("",))
        monkeypatch.setattr(backfill, "_reason_of_link", lambda *given: next(looks, sound(*given)))
    code, document = apply(file, capsys)
    assert (code, document["stored"]) == (Exit.PROBLEM, 0)
    assert document["refused"][0]["reason"] == backfill.BUSY
    with closing(App()) as app:
        assert app.store.pointer(named["referral_id"]) is None


def test_a_file_with_semicolons_and_other_dates_is_read_and_said_so(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_propose(Output(as_json=True), file)
    lines = read(file)
    for line in lines:
        line["opportunity_closing"] = "31.03.2027"
    write(file, lines, ";")
    capsys.readouterr()
    assert run_apply(Output(), file, yes=True, dry_run=False) is Exit.OK
    printed = capsys.readouterr().out
    assert "separated the columns by semicolons" in printed
    assert "dates in another form" in printed
    assert len(links()) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"decision": "yes"}, "line 2: the decision is 'yes'"),
        ({"decision": "link", "opportunity_id": "x"}, "line 2: opportunity_id is 'x'"),
        ({"decision": "link", "referral_id": "1,2E+10"}, "line 2: referral_id is '1,2E+10'"),
    ],
)
def test_one_wrong_line_stops_all(
    file: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], sentence: str
) -> None:
    run_propose(Output(as_json=True), file)
    first, *rest = read(file)
    write(file, [first | change, *rest])
    with pytest.raises(ConfigurationError) as raised:
        apply(file, capsys)
    assert sentence in str(raised.value)
    assert links() == {}


def test_a_file_without_a_column_and_one_in_another_encoding_are_refused(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_propose(Output(as_json=True), file)
    whole = file.read_text("utf-8-sig")
    for content, sentence in (
        (whole.replace("referral_name", "name").encode(), "lacks the columns referral_name"),
        (whole.replace("Named", "Näme").encode("latin-1"), "is no UTF-8 text"),
        (b"", "is empty"),
    ):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=sentence):
            apply(file, capsys)
    assert links() == {}


def test_a_column_that_was_sorted_alone_links_no_strangers(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_propose(Output(as_json=True), file)
    named, alike, lonely = read(file)
    named["opportunity_id"], alike["opportunity_id"] = alike["opportunity_id"], named["opportunity_id"]
    write(file, [named, alike | {"decision": "link"}, lonely])
    code, document = apply(file, capsys)
    assert (code, document["stored"], len(document["refused"])) == (Exit.PROBLEM, 0, 2)
    assert "opportunity_name is Named in the file and Alike now" in document["refused"][0]["reason"]
    assert links() == {}


def test_a_name_cannot_run_in_a_spreadsheet_or_colour_a_terminal(
    systems: Systems, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, name = tmp_path / "pairs.csv", "=HYPERLINK(1) [red]\x1b[31m"
    deal = existing_deal(systems, name)
    existing_referral(systems, name, externalReferenceId=deal)
    run_propose(Output(as_json=True), file)
    (line,) = read(file)
    assert line["opportunity_name"].startswith("'=HYPERLINK(1) [red]")
    assert "\x1b" not in file.read_text("utf-8-sig")
    assert apply(file, capsys)[0] is Exit.OK
    assert len(links()) == 1


def test_a_wrong_condition_names_its_option(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--soql: Salesforce cannot use .*Amout > 5.*INVALID_FIELD\."):
        run_propose(Output(), file, soql="Amout > 5")
    with pytest.raises(Rejected):
        run_propose(Output(), file, "Nope__c", "Amount > 5")
    assert not file.exists()


def test_a_file_that_exists_is_not_written_over(file: Path) -> None:
    file.write_text("reviewed", "utf-8")
    with pytest.raises(ConfigurationError, match="exists: name another file"):
        run_propose(Output(as_json=True), file)


@pytest.mark.usefixtures("systems")
def test_what_people_read(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.output.PLAIN_WIDTH", WIDTH)
    complete = CommandOptions("staging").complete
    run_propose(Output(complete=complete), file)
    named, *rest = read(file)
    write(file, [named, *(line | {"decision": "skip"} for line in rest[:1]), *rest[1:]])
    run_apply(Output(complete=complete), file, yes=False, dry_run=False)
    run_apply(Output(complete=complete), file, yes=True, dry_run=False)
    printed = capsys.readouterr().out.replace(str(file), "pairs.csv")
    check_golden("backfill", printed)
