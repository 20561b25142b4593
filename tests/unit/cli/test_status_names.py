"""`cosell status` names the deals of which the table has a name, and reads no row for it."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.preview import run_preview
from shared.cli.status import run_status
from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side
from shared.domain.link import Effect, EffectKind, Intent, Link, Pointer
from shared.domain.link_states import State
from shared.store.link_store import LinkStore
from shared.store.stored_values import OPERATOR, RetryEntry
from tests.unit.cli.golden_text import golden_output

HELD, NAMELESS, ASKED, QUEUED = (f"006AA000000000{number}AAA" for number in range(4))
REFERRAL, ARRIVING = "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000001"
CAUSE = Cause("missing_country", "account", "The account has no country.", "Please enter a country.")


@pytest.fixture
def app(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A store of which `status` may read neither a single link nor a side."""
    monkeypatch.setenv("SYNC", "on")
    assert systems.environ
    with closing(App()) as app:
        yield app


def held(key: str, name: str | None) -> Link:
    return Link(key, State.HELD, cause=CAUSE, base=Deal({"name": name} if name else {}))


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        for name in ("link", "pointer"):
            patch.setattr(LinkStore, name, lambda *_: pytest.fail("it reads one more row"))
        for name in ("vault", "salesforce", "partner_center", "sign_in"):
            patch.setattr(App, name, property(lambda _: pytest.fail("it reads more than the table")))
        run_status(golden_output())
        text = capsys.readouterr().out
        run_status(golden_output(as_json=True))
    return text


def test_the_only_deal_of_a_group_is_named_and_is_no_example(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app.store.insert_link(held(HELD, "Deal [bold]\x1b[31m"))
    text = printed(capsys, monkeypatch)
    assert f"   Deal [bold]<U+001B>[31m ({HELD}), since unknown" in text.splitlines()
    assert "example" not in text
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert group["name"] == "Deal [bold]\x1b[31m"


def test_a_deal_without_a_known_name_is_an_id(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (HELD, NAMELESS):
        app.store.insert_link(held(key, None if key == HELD else "Another"))
    assert f"   for example {HELD}, oldest unknown" in printed(capsys, monkeypatch).splitlines()
    assert json.loads(capsys.readouterr().out)["groups"][0]["name"] is None


def test_requests_and_the_queue_are_named_too(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    app.store.insert_link(Link(ASKED, base=Deal({"name": "Asked"})))
    app.store.insert_link(Link(QUEUED, referral_id=REFERRAL, base=Deal({"name": "Queued"})))
    app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, ASKED, now, OPERATOR))
    app.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, REFERRAL, now, "busy"))
    text = printed(capsys, monkeypatch)
    assert f"   Asked ({ASKED}): by " in text
    assert f"(busy): Queued ({REFERRAL}), tried with the next run" in text
    document = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in document["asked"]] == ["Asked"]
    assert sorted(one["name"] for one in document["waiting"]) == ["Asked", "Queued"]
    run_preview(golden_output(as_json=True))
    assert all("name" not in one for one in json.loads(capsys.readouterr().out)["waiting"])


def test_a_referral_has_the_name_of_the_opportunity_that_it_was_to_become(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = Intent((Effect(EffectKind.CREATE_OPPORTUNITY, Deal({"name": "Arriving"})),))
    app.store.insert_pointer(ARRIVING, Pointer(intent=intent, inbox="0" * 16))
    assert f"   Arriving ({ARRIVING}), since unknown" in printed(capsys, monkeypatch).splitlines()
