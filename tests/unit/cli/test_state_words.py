"""A person reads states, writes and pauses in words, and JSON has their codes."""

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest

from shared.app import App
from shared.cli.state_words import STATES, pause_text, write_text
from shared.cli.status import run_status
from shared.domain.deal import Side
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.store.stored_values import SideState
from tests.unit.cli.golden_text import golden_output


@pytest.mark.usefixtures("systems")
def test_each_state_has_its_word_and_json_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    keys = {state: f"006AA000000000{number}AAA" for number, state in enumerate(State)}
    with closing(App()) as app:
        for state, key in keys.items():
            app.store.insert_link(Link(key, state))
    run_status(golden_output(as_json=True))
    assert json.loads(capsys.readouterr().out)["links"] == dict.fromkeys(map(str, State), 1)
    run_status(golden_output())
    (links,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Links: ")]
    assert links == "Links: 1 closed, 1 gone, 1 held, 1 live, 1 unanswered, 1 parked, 1 not ticked."
    run_status(golden_output(), keys[State.ON_HOLD])
    assert "State: unanswered (Microsoft awaits the owner's answer)" in capsys.readouterr().out


def test_each_code_has_words() -> None:
    assert set(STATES) == set(State)
    texts = [write_text(kind) for kind in (*EffectKind, "reading")]
    assert len(set(texts)) == len(texts)
    assert [pause_text(one) for one in ("throttled", "sign_in")] == ["too many calls", "a failed sign-in"]


@pytest.mark.usefixtures("systems")
def test_a_pause_and_a_coming_write_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    intent = Intent((Effect(EffectKind.MARK_OPPORTUNITY),))
    with closing(App()) as app:
        app.store.insert_link(Link("006AA0000000001AAA", intent=intent))
        app.store.write_side_state(Side.SALESFORCE, SideState(datetime(2035, 1, 2, tzinfo=UTC), "throttled"))
    run_status(golden_output())
    assert "too many calls until" in " ".join(capsys.readouterr().out.replace("│", " ").split())
    run_status(golden_output(), "006AA0000000001AAA")
    assert "The app works on it: it shows Sync Status and Audit" in capsys.readouterr().out
