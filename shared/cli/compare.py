"""Run `cosell compare`: look through all links for what differs, and print it; with `--repair`, let the app mend it.

The command writes to neither side and changes no link (`shared/operations/compare.py`). It prints values of deals,
which no log gets.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from msgspec import to_builtins
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.domain.compared import MENDED, Finding, FindingKind
from shared.domain.policy import Mode
from shared.operations.compare import compare_all
from shared.sync.retry_queue import paused_directions

MEANINGS: Mapping[FindingKind, tuple[str, str]] = {
    FindingKind.DRIFT: ("values differ", "run `cosell compare --repair`"),
    FindingKind.INTERRUPTED: (
        "a run stopped within the deal, and nothing returns to it",
        "the daily run lets it be continued",
    ),
    FindingKind.OPPORTUNITY_MISSING: (
        "Salesforce does not show the opportunity",
        "check the permissions of the integration user, or run `cosell compare --repair`",
    ),
    FindingKind.REFERRAL_MISSING: (
        "Partner Center does not show the referral",
        "check the role of the integration account, or run `cosell compare --repair`",
    ),
    FindingKind.TWO_REFERRALS: (
        "two open referrals name the opportunity",
        "close the one that stands second in its line, because it is not synced, as Error with the reason Duplicate",
    ),
    FindingKind.TWO_OPPORTUNITIES: (
        "two opportunities carry the id of the referral",
        "clear Sync with Partner Center on one of them",
    ),
    FindingKind.TWO_LINKS: (
        "two links lead to the referral",
        "clear Sync with Partner Center on one of the opportunities",
    ),
    FindingKind.UNLINKED_REFERRAL: ("nobody has heard of the referral", "the daily run lets it arrive"),
    FindingKind.UNREAD_OPPORTUNITY: (
        "no push has read the last save of the opportunity",
        "the daily run lets it be read",
    ),
    FindingKind.UNLINKED_OPPORTUNITY: ("no push has seen the ticked opportunity", "the daily run lets it be sent"),
    FindingKind.NEWS: ("nobody has heard what another party says in the deal", "the daily run lets it be heard"),
}
"""What a finding means, and what a person does about it."""


def compare(
    env: Env,
    repair: Annotated[bool, typer.Option("--repair", help="Let the app mend what differs.")] = False,
    as_json: Json = False,
) -> None:
    """Look through all links for what differs between both sides, and for duplicates."""
    run_command(env, as_json, lambda _, output: run_command_compare(output, repair=repair))


def run_command_compare(output: Output, *, repair: bool) -> Exit:
    """Run the command. Raises what both sides and the store raise."""
    app, findings = App(), list[Finding]()
    try:
        ctx = app.context
        with output.show_progress("comparing") as bar:

            def take(finding: Finding) -> None:
                findings.append(finding)
                bar.move_to(len(findings))

            done = compare_all(ctx, app.store, app.settings.guards.compare_sample, take, repair=repair)
        is_working = ctx.policy.mode is Mode.ON and not paused_directions(ctx)
    finally:
        app.close()
    _print_findings(findings, output, is_repaired=repair)
    if not is_working:
        output.say("The sync is off or paused, so edits that wait for it count as differences.")
    is_well = not findings
    counts = {name: done.counts.get(name, 0) for name in ("links", "referrals", "sampled")}
    output.say(f"Compared: {counts['links']} links, {counts['referrals']} referrals; read: {counts['sampled']}.")
    output.print_document(
        {"ok": is_well, "repaired": repair, **counts, "findings": [to_builtins(each) for each in findings]}
    )
    return Exit.OK if is_well else Exit.PROBLEM


def _print_findings(findings: Sequence[Finding], output: Output, *, is_repaired: bool) -> None:
    if not findings:
        output.say("Nothing differs.")
        return
    if drifted := [each for each in findings if each.kind is FindingKind.DRIFT]:
        cells = [
            (each.opportunity_id or "", one.label, one.salesforce, one.partner_center)
            for each in drifted
            for one in each.drift
        ]
        lines = [tuple(escape(cell) for cell in line) for line in cells]
        output.print_table(("opportunity", "field", "Salesforce", "Partner Center"), lines, title="Values that differ")
    for kind in dict.fromkeys(each.kind for each in findings):
        of_kind = [each for each in findings if each.kind is kind]
        _say_kind(kind, of_kind, output, is_queued=is_repaired and kind in MENDED)


def _say_kind(kind: FindingKind, findings: Sequence[Finding], output: Output, *, is_queued: bool) -> None:
    meaning, remedy = MEANINGS[kind]
    output.say(f"{len(findings)} x {meaning}: {'the app does it within a minute' if is_queued else remedy}.")
    for each in findings if kind is not FindingKind.DRIFT else ():
        ids = filter(None, (each.opportunity_id, each.referral_id, each.other))
        output.say(f"  {' '.join(map(escape, ids))}")
