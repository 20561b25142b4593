"""`make run`: what a reader sees, and how it ends."""

import re
import subprocess
from pathlib import Path

import pytest

from local import azurite, story
from tests.e2e.processes import run, serving

STORY = ("-m", "local.story")
MUST_BE_READ = (
    r"emulators of Salesforce, Partner Center, Entra ID and Key Vault run",
    r"the local Functions host has loaded the app: apply_event, .*receive_event",
    r"waiting time .* is set to 0 here",
    r"A seller flags opportunities: they become referrals",
    r"timer push_opportunities fired through the host",
    r"Deal 1: referral id [0-9a-f-]{36}",
    r"link https://\S+[0-9a-f-]{36}.*, mark ✔ \(Synced\)",
    r"audit: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC - .*[Cc]reated",
    r"all 2 referrals hold what their opportunities hold",
    r"2 opportunities edited, Deal 2 won",
    r"both sides agree; Deal 2 is Closed/Won",
    r"1 closing dates arrived by event",
    r"Microsoft sends new deals: they become opportunities",
    r"stage On Hold",
    r"2 opportunities made; event to Salesforce: median \d+\.\d\d s",
    r"changed after signing is answered 401, without detail",
    r"a replayed event is answered 202 and changes nothing",
    r"not sent, mark ✘; audit: .*country",
    r"sent by itself, mark ✔",
    r"timer sweep_referrals fired through the host",
    r"nothing was missed: the sweep only read",
    r"all 5 pairs hold the same name, status, notes, money and closing date",
    r"Both sides, 5 of 5 deals",
    r"Our calls to the outside",
    r"Salesforce\s+│ POST /services/data/v66\.0/composite\s+│ \d+",
    r"Partner Center\s+│ POST /v1\.0/engagements/referrals\s+│ 3 ",
    r"Both sides are in step\. \d+\.\d s",
)
STEP = re.compile(r"^ *\d+\.\d s  \+ *\d+\.\d\d  \S", re.MULTILINE)


def told(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def missing_from(said: str) -> list[str]:
    """The sentences that a reader does not see, in whatever line they are broken."""
    flat = re.sub(r"\s*\n", " ", said)
    return [sentence for sentence in MUST_BE_READ if not re.search(sentence, flat)]


def test_the_story_is_told_to_its_end(tmp_path: Path) -> None:
    said = told(run(*STORY, folder=tmp_path, DEALS="2"))

    assert missing_from(said) == []
    assert len(STEP.findall(said)) > 25, "each step has its elapsed time"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_an_interrupt_ends_it_in_one_word(tmp_path: Path) -> None:
    with serving(*STORY, folder=tmp_path, DEALS="1000") as told:
        told.read_until("ticked Sync with Partner Center")
        code, said = told.end()

    assert code == 130
    assert said.splitlines()[-1] == "Stopped."
    assert "Traceback" not in said
    assert '"event"' not in said, "what was going on has nobody to tell"


@pytest.mark.slow
@pytest.mark.node
def test_the_story_on_azurites_queues_and_tables(tmp_path: Path) -> None:
    if reason := azurite.missing():
        pytest.skip(f"NOT RUN: {reason}")
    said = told(run(*STORY, folder=tmp_path, DEALS="1", STORAGE="azurite"))

    assert "queues and tables are Azurite's" in said
    assert "1 opportunities made; event to Salesforce: median" in said
    assert "Both sides are in step." in said


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PATH", "", "Azurite needs Node.js, which is not installed: its command node was not found."),
        ("STORAGE", "floppy", "STORAGE is azurite, or not set: STORAGE=azurite make run"),
    ],
)
def test_a_storage_that_is_not_to_be_had_is_one_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv("STORAGE", "azurite")
    monkeypatch.setenv(variable, value)

    assert story.main() == 2
    assert capsys.readouterr().out == f"Cannot run: {said}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (
            "salesforce_refuses_to_write",
            'an opportunity has no referral id; the connector logged {"event": "pair_failed"',
        ),
        ("events_are_lost", "1 closing dates did not arrive"),
        ("the_vault_is_locked", "InvocationFailed: push_opportunities failed: SignInFailed"),
    ],
)
def test_in_a_broken_world_it_ends_non_zero_and_says_why(tmp_path: Path, how: str, reason: str) -> None:
    sabotage = Path(__file__).with_name("broken_story.py")
    done = run(str(sabotage), how, folder=tmp_path, DEALS="2")

    assert done.returncode == 1
    assert f"The story failed: {reason}" in re.sub(r"\s*\n", " ", done.stdout)
    assert "in step" not in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("deals", ["0", "-1", "ten", "", "1.5", "²", "1e3", "99999999", "[red]"])
def test_a_number_that_is_none_is_one_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deals: str
) -> None:
    monkeypatch.setenv("DEALS", deals)

    assert story.main() == 2
    said = capsys.readouterr().out
    assert said == f"DEALS must be a whole number from 1, not {deals!r}; for example: make run DEALS=1000\n"
