"""`make run` prints the story and ends with the right exit status."""

import re
import subprocess
from pathlib import Path

import pytest

from local import azurite, story
from tests.e2e.processes import run_python, start_python

STORY = ("-m", "local.story")
REQUIRED_SENTENCES = (
    r"Emulators of Salesforce, Partner Center, Entra ID and Key Vault are running, all with TLS\.",
    r"The local Functions host has loaded the app: apply_event, .*receive_event",
    r"In production, what cannot be undone waits 2 minutes before it is sent\. In this story it does not wait\.",
    r"A seller ticks opportunities\. They become referrals\.",
    r"The local host ran the timer function push_opportunities\.",
    r"Deal 1 shows the referral id [0-9a-f-]{36}\.",
    r"It shows the mark ✔, the status Synced, and this link: .* https://\S+[0-9a-f-]{36}",
    r"Its Audit field says: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC - .*[Cc]reated",
    r"All 2 referrals have the values of their opportunities\.",
    r"The seller changed 2 opportunities and won Deal 2\.",
    r"Partner Center has all new values\. Deal 2 is Closed/Won there\.",
    r"Salesforce got 1 of 1 new closing dates, each by an event\.",
    r"Microsoft sends new referrals\. They become opportunities\.",
    r"is in stage On Hold and shows the status Waiting\.",
    r"Salesforce has 2 new opportunities\.",
    r"Time from an event to the write in Salesforce: median \d+\.\d\d s",
    r"A seller asks Microsoft for help\. Microsoft accepts\.",
    r"two referrals in one engagement: ours, and Microsoft's\. Microsoft Status is Asked\.",
    r"Microsoft accepted\. The opportunity shows its CRM id 7-3QK29VX1T, after \d+\.\d\d s\.",
    r"waits: Answer By is \d{4}-\d\d-\d\d\.",
    r"One deal is Active/Accepted, the other Closed/Declined: Timeline too short\.",
    r"The deal is partner-led now, for good\.",
    r"A seller and a colleague add a solution each, at the same time\.",
    r"Both sides have 3 solutions: SOL-12345-ABC, SOL-20011-ABC, SOL-20012-XYZ\.",
    r"Partner Center has the contact too: ada\.lind@customer\.example\.",
    r"changed an event after it was signed\. The webhook answered 401, without a reason\.",
    r"The same event came twice\. The webhook answered 202 both times, and nothing changed\.",
    r"The opportunity was not sent\. It shows the mark ✘\. .*Its Audit field says: .*Country",
    r"The opportunity was sent without further action\. It shows the mark ✔\.",
    r"The local host ran the timer function sweep_referrals\.",
    r"No event was lost: the sweep read both sides and wrote nothing\.",
    r"All 10 pairs have the same name, status, notes, money and closing date\.",
    r"Both sides: 8 of 10 deals",
    r"Calls to each system",
    r"Salesforce\s+│ POST /services/data/v66\.0/composite\s+│ \d+",
    r"Partner Center\s+│ POST /v1\.0/engagements/referrals\s+│ 7 ",
    r"The types of the deals",
    r"Private deal\s+│ partner-led\s+│ Active/Accepted\s+│ none",
    r"Deal with help\s+│ co-sell\s+│ Active/Accepted\s+│ Accepted",
    r"│ from Microsoft\s+│ Closed/Declined\s+│ Accepted",
    r"Both sides agree\. The story took \d+\.\d s\.",
)
STEP = re.compile(r"^ *\d+\.\d s  \+ *\d+\.\d\d  \S", re.MULTILINE)


def successful_output(completed: subprocess.CompletedProcess[str]) -> str:
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stderr == ""
    return completed.stdout


def missing_sentences(output: str) -> list[str]:
    """The required sentences that the output does not contain. A sentence may be broken over several lines."""
    flat = re.sub(r"\s*\n", " ", output)
    return [sentence for sentence in REQUIRED_SENTENCES if not re.search(sentence, flat)]


@pytest.mark.slow
def test_the_story_prints_every_step(tmp_path: Path) -> None:
    output = successful_output(run_python(*STORY, folder=tmp_path, DEALS="2"))

    assert missing_sentences(output) == []
    assert len(STEP.findall(output)) > 25, "each step has its elapsed time"
    assert list(tmp_path.iterdir()) == [], "it leaves no files behind"


def test_after_an_interrupt_the_last_line_is_stopped(tmp_path: Path) -> None:
    with start_python(*STORY, folder=tmp_path, DEALS="1000") as command:
        command.read_until("ticked Sync with Partner Center")
        code, output = command.stop_and_read()

    assert code == 130
    assert output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in output
    assert '"event"' not in output, "a run in progress logs nothing after the interrupt"


@pytest.mark.slow
@pytest.mark.node
def test_the_story_on_azurites_queues_and_tables(tmp_path: Path) -> None:
    if reason := azurite.unavailable_reason():
        pytest.skip(f"NOT RUN: {reason}")
    output = successful_output(run_python(*STORY, folder=tmp_path, DEALS="1", STORAGE="azurite"))

    assert "Queues and tables are in Azurite" in output
    assert "Time from an event to the write in Salesforce: median" in output
    assert "Both sides agree." in output


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PATH", "", "Azurite needs Node.js, but the command node was not found. Install Node.js."),
        ("STORAGE", "floppy", "STORAGE must be azurite or unset. Example: STORAGE=azurite make run"),
    ],
)
def test_a_storage_that_is_not_available_is_one_message_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv("STORAGE", "azurite")
    monkeypatch.setenv(variable, value)

    assert story.main() == 2
    assert capsys.readouterr().out == f"Cannot run: {message}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (
            "salesforce_refuses_to_write",
            'an opportunity has no referral id; the connector logged {"event": "pair_failed"',
        ),
        ("events_are_lost", "Salesforce did not get 1 of the new closing dates"),
        ("the_vault_is_locked", "InvocationFailed: push_opportunities failed: SignInFailed"),
    ],
)
def test_with_a_broken_system_the_story_fails_with_the_reason(tmp_path: Path, way: str, reason: str) -> None:
    script = Path(__file__).with_name("broken_story.py")
    completed = run_python(str(script), way, folder=tmp_path, DEALS="2")

    assert completed.returncode == 1
    assert f"The story failed: {reason}" in re.sub(r"\s*\n", " ", completed.stdout)
    assert "Both sides agree" not in completed.stdout
    assert "Traceback" not in completed.stderr


@pytest.mark.parametrize("deals", ["0", "-1", "ten", "", "1.5", "²", "1e3", "99999999", "[red]"])
def test_a_wrong_number_of_deals_is_one_message_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deals: str
) -> None:
    monkeypatch.setenv("DEALS", deals)

    assert story.main() == 2
    output = capsys.readouterr().out
    assert output == f"DEALS must be a whole number from 1 to 9999999, not {deals!r}. Example: make run DEALS=1000\n"
