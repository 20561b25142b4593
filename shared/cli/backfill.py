"""Run `cosell backfill`: propose links between existing referrals and opportunities, and store the reviewed ones.

The command writes to neither side: it stores links and retry entries, and the app merges
(`shared/operations/backfill.py`). It prints values of deals, which no log gets.
"""

import shlex
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.operator import record_action
from shared.cli.output import Output, plain
from shared.domain.deal import Side
from shared.domain.policy import PUSH
from shared.foundation.errors import ConfigurationError
from shared.mapping.backfill_file import ReviewedFile, Row, file_text, read_file
from shared.operations.ask_app import why_it_waits
from shared.operations.backfill import Checked, check_rows, lines_of, link_rows, propose_pairs
from shared.operations.unlinked_records import Unlinked, read_unlinked
from shared.store.copies import write_whole_file
from shared.sync.ports import Context

SHOWN = 20
"""So many refused lines are printed one by one."""


def backfill(  # noqa: PLR0913, PLR0917 - the command's parameters are its options
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to write, or with --apply to read.")],
    env: Env,
    apply: Annotated[bool, typer.Option("--apply", help="Store the links that the reviewed file decides.")] = False,
    referral_column: Annotated[
        str | None, typer.Option("--referral-column", help="A column of Opportunity that holds referral ids.")
    ] = None,
    soql: Annotated[
        str | None, typer.Option("--soql", metavar="FILTER", help="Read only opportunities that meet it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --apply: show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --apply: do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Propose links between existing referrals and opportunities, and store those that a person has reviewed."""

    def work(_: object, output: Output) -> Exit:
        if apply:
            return run_apply(output, file, referral_column, soql, yes=yes, dry_run=dry_run)
        return run_propose(output, file, referral_column, soql)

    run_command(env, as_json, work)


def run_propose(output: Output, file: Path, column: str | None = None, soql: str | None = None) -> Exit:
    """Write the proposals. Raises ConfigurationError for a file that exists, and what is raised by a read."""
    if file.exists():
        raise ConfigurationError(f"{file} exists: name another file, or add --apply to store what it decides")
    with closing(App()) as app:
        found = _read(app, output, column, soql)
    proposals = propose_pairs(found)
    _write(file, file_text(lines_of(found, proposals)))
    certain, open_ones = sum(one.is_certain for one in proposals), sum(one.opportunity_id is None for one in proposals)
    counts = {
        "referrals": len(found.referrals), "opportunities": len(found.opportunities), "linked": len(found.linked),
        "left_out": found.left_out, "certain": certain, "to_review": len(proposals) - certain - open_ones,
        "nothing_found": open_ones,
    }  # fmt: skip
    output.say(
        f"Without a link: {counts['referrals']} referrals and {counts['opportunities']} opportunities."
        f" Linked already: {counts['linked']}. Left out, as leads or referrals of others: {found.left_out}."
    )
    output.say(
        f"{plain(file)}: pairs by an id: {certain}; pairs that look alike: {counts['to_review']}; referrals without a"
        f" match: {open_ones}. Enter link or skip in the column decision of each line that is empty."
    )
    output.say(f"Then run `cosell backfill {_quoted(file)}{_options(column, soql)} --apply`.")
    output.print_document({"ok": True, "file": str(file), **counts})
    return Exit.OK


def run_apply(
    output: Output, file: Path, column: str | None = None, soql: str | None = None, *, yes: bool, dry_run: bool
) -> Exit:
    """Store the reviewed links. Raises ConfigurationError for a file that cannot be used: then nothing is stored."""
    reviewed = _reviewed(file)
    for note in reviewed.notes:
        output.say(note)
    with closing(App()) as app:
        found, ctx = _read(app, output, column, soql), app.context.begin_run()
        checked = check_rows(ctx, found, reviewed.rows)
        _print_checked(output, reviewed, checked)
        refused, stored, is_asked, obstacles = checked.refused, 0, False, list[str]()
        if checked.to_link:
            is_asked = not (dry_run or yes or output.confirm(f"Link {len(checked.to_link)} deals?"))
        if not (dry_run or is_asked) and (checked.to_link or checked.linked):
            record_action(app, "backfill", f"{len(checked.to_link)} links")
            failed = _link(output, ctx, found, checked)
            refused, stored = [*refused, *failed], len(checked.to_link) - len(failed)
            obstacles = [*why_it_waits(app, PUSH)]
            _say_stored(output, stored, obstacles)
            _print_refused(output, failed)
    if is_asked:
        command = f"cosell backfill {_quoted(file)}{_options(column, soql)} --apply --yes"
        output.say_declined("Nothing was stored", "To link them", f"run `{command}`")
    is_well = not (refused or is_asked)
    output.print_document(_document(reviewed, checked, refused, stored, obstacles, is_well=is_well))
    return Exit.OK if is_well else Exit.PROBLEM


def _read(app: App, output: Output, column: str | None, soql: str | None) -> Unlinked:
    with output.show_progress("reading both sides") as bar:
        return read_unlinked(app.context, app.partner_center, column, soql, bar.move_to)


def _options(column: str | None, soql: str | None) -> str:
    parts = (("--referral-column", column), ("--soql", soql))
    return "".join(f" {name} {_quoted(value)}" for name, value in parts if value)


def _quoted(value: object) -> str:
    return plain(shlex.quote(str(value)))


def _write(file: Path, text: str) -> None:
    try:
        write_whole_file(file, lambda out: out.write(text.encode("utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def _reviewed(file: Path) -> ReviewedFile:
    try:
        reviewed = read_file(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    if reviewed.faults:
        raise ConfigurationError(f"{file} {' '.join(reviewed.faults)} Nothing was stored")
    return reviewed


def _print_checked(output: Output, reviewed: ReviewedFile, checked: Checked) -> None:
    output.say(
        f"Pairs that can be linked: {len(checked.to_link)}; linked already: {len(checked.linked)}; refused:"
        f" {len(checked.refused)}. Lines to skip: {reviewed.skipped}; not decided: {reviewed.undecided}."
    )
    if checked.unticked:
        output.say(
            f"Not ticked: {checked.unticked}. They are linked, and synced once Sync with Partner Center is ticked."
        )
    if checked.changes:
        names = {Side.PARTNER_CENTER: "Partner Center", Side.SALESFORCE: "Salesforce"}
        ordered = sorted(checked.changes.items(), key=lambda each: (each[0][0], -each[1], each[0][1]))
        lines = [(names[side], plain(label), str(count)) for (side, label), count in ordered]
        output.print_table(("written to", "field", "deals"), lines, title="What the first merge writes")
    elif checked.to_link:
        output.say("Both sides hold the same values: the first merge writes none.")
    _print_refused(output, checked.refused)


def _print_refused(output: Output, refused: Sequence[tuple[Row, str]]) -> None:
    for row, reason in refused[:SHOWN]:
        output.say(plain(f"line {row.line}: {row.referral_id} and {row.opportunity_id}: {reason}."))
    if len(refused) > SHOWN:
        output.say(f"and {len(refused) - SHOWN} more lines.")


def _link(output: Output, ctx: Context, found: Unlinked, checked: Checked) -> list[tuple[Row, str]]:
    with output.show_progress("storing links", len(checked.to_link) + len(checked.linked)) as bar:
        return link_rows(ctx, found, checked, bar.move_to)


def _say_stored(output: Output, stored: int, obstacles: Sequence[str]) -> None:
    output.say(f"Links stored: {stored}.")
    for sentence in obstacles:
        output.say(plain(sentence))
    when = "then" if obstacles else "at its next runs"
    output.say(f"The app merges them {when}. Afterwards, run `cosell compare`.")


def _document(
    reviewed: ReviewedFile,
    checked: Checked,
    refused: Sequence[tuple[Row, str]],
    stored: int,
    obstacles: Sequence[str],
    *,
    is_well: bool,
) -> dict[str, object]:
    lines = [
        {"line": row.line, "referral_id": row.referral_id, "opportunity_id": row.opportunity_id, "reason": reason}
        for row, reason in refused
    ]
    changes = [
        {"side": str(side), "label": label, "deals": count} for (side, label), count in sorted(checked.changes.items())
    ]
    return {
        "ok": is_well, "to_link": len(checked.to_link), "linked": len(checked.linked), "unticked": checked.unticked,
        "skipped": reviewed.skipped, "undecided": reviewed.undecided, "stored": stored, "changes": changes,
        "refused": lines, "obstacles": list(obstacles),
    }  # fmt: skip
