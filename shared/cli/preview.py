"""Run `cosell preview`: show what the app would do with deals, and write nothing (`shared/operations/preview.py`).

It prints values of deals, which no log gets.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, plain
from shared.cli.waiting import BY_CAUSE, print_waiting
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import system_name
from shared.foundation.errors import ConfigurationError
from shared.operations.preview import (
    COUNTS,
    PreviewReport,
    Progress,
    preview_all,
    preview_filter,
    preview_next,
    preview_one,
)
from shared.operations.preview_context import open_preview
from shared.operations.preview_deals import Creates, DealPreview, NoteKind, ShownChange
from shared.operations.waiting_list import queued_entries, waiting_list

SHOWN = 100
"""So many deals are printed. JSON has all."""
MEANINGS = {
    "creates": "records would be created",
    "adopts": "opportunities and referrals that exist would be linked",
    "to_partner_center": "referrals would get changes from Salesforce",
    "to_salesforce": "opportunities would get changes from Partner Center",
    "held": "opportunities are held until a seller completes them",
    "needs_approval": "of all these deals wait for `cosell approve`, whole or in part",
}
CREATED = {
    Creates.REFERRAL: "creates the referral",
    Creates.OPPORTUNITY: "creates the opportunity",
    Creates.LEAD: "creates a Lead",
}
SIGNS = {
    NoteKind.HELD: "held: ",
    NoteKind.WAITS: "waits: ",
    NoteKind.UNREAD: "not planned: ",
    NoteKind.LEFT: "left alone: ",
}
"""Stands before a note. The other notes say themselves what they are, as in the audit."""


def preview(
    env: Env,
    deal: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The id of an opportunity or of a referral: only this deal.")
    ] = None,
    soql: Annotated[
        str | None, typer.Option("--soql", metavar="FILTER", help="Opportunities by a condition of SOQL.")
    ] = None,
    all_deals: Annotated[bool, typer.Option("--all", help="All deals, whether or not they have changed.")] = False,
    as_json: Json = False,
) -> None:
    """Show what the next runs would do, or what they would do with these deals. Nothing is written."""
    run_command(env, as_json, lambda _, output: run_preview(output, deal, soql, all_deals=all_deals))


def run_preview(output: Output, deal: str | None = None, soql: str | None = None, *, all_deals: bool = False) -> Exit:
    """Run the command. Raises ConfigurationError, and what both sides and the store raise."""
    if sum((deal is not None, soql is not None, all_deals)) > 1:
        raise ConfigurationError("preview: give an ID, or --soql FILTER, or --all, or none of them")
    app = App()
    try:
        with output.show_progress("planning") as bar:
            report = _chosen(app, deal, soql, bar.move_to, all_deals=all_deals)
        waiting = waiting_list(queued_entries(app.store)) if deal is None and soql is None else ()
        now = app.clock.now()
    finally:
        app.close()
    print_report(report, output, is_one=deal is not None)
    print_waiting(waiting, now, output, BY_CAUSE)
    unread = [one for one in report.all_deals if one.has(NoteKind.UNREAD)]
    counts = {"push": report.counts(PUSH), "sweep": report.counts(PULL)}
    output.print_document({
        "ok": not unread, **counts, "unchanged": report.unchanged, "reads": report.reads, "writes": report.writes,
        "deals": to_builtins(report.all_deals), "waiting": to_builtins(waiting),
    })  # fmt: skip
    return Exit.PROBLEM if unread else Exit.OK


def _chosen(app: App, deal: str | None, soql: str | None, progress: Progress, *, all_deals: bool) -> PreviewReport:
    if deal is not None:
        return preview_one(app, deal)
    if soql is not None:
        return preview_filter(open_preview(app), soql, progress)
    choice: Callable[..., PreviewReport] = preview_all if all_deals else preview_next
    return choice(open_preview(app), progress)


# --- what is printed


def print_report(report: PreviewReport, output: Output, *, is_one: bool) -> None:
    """Print the deals, the numbers unless there is only one, and the calls."""
    deals = report.all_deals
    for deal in deals[:SHOWN]:
        print_deal(deal, output)
    if len(deals) > SHOWN:
        output.say(f"And {len(deals) - SHOWN} more: `cosell preview` with --json has all.")
    if not is_one:
        print_counts(report, output)
    elif not deals:
        output.say("Both sides agree: nothing to do.")
    calls = (f"{system_name(side)} {report.reads[side]} + {report.writes[side]}" for side in report.reads)
    output.say(f"Calls to read + to write: {', '.join(calls)}. Nothing was written.")
    if deals:
        output.say(_next(deals))


def _next(deals: Sequence[DealPreview]) -> str:
    """The commands that go on. No deal that waits for an approval is named to be synced: that is refused."""
    first = next((deal for deal in deals if not deal.needs_approval), deals[0])
    key = plain(first.opportunity_id or first.referral_id)
    parts = [f"`cosell status {key}` shows both sides of a deal"]
    if first.has(NoteKind.HELD) or first.has(NoteKind.REFUSED):
        parts.append(f"after the remedy above, `cosell retry {key}` tries it again")
    elif not first.needs_approval:
        parts.append(f"`cosell sync {key}` syncs it")
    parts += ["`cosell approve` lets go what waits for it"] if any(deal.needs_approval for deal in deals) else []
    return f"Next: {'; '.join(parts)}."


def print_counts(report: PreviewReport, output: Output) -> None:
    """Print how many deals would be created, linked, changed and held."""
    pushed, pulled = report.counts(PUSH), report.counts(PULL)
    lines = [(str(pushed[name] + pulled[name]), MEANINGS[name]) for name in COUNTS]
    output.print_table(("how many", "what"), [*lines, (str(report.unchanged), "nothing to do")], title="In all")


def print_deal(deal: DealPreview, output: Output) -> None:
    """Print what would be done with one deal."""
    ids = " and ".join(filter(None, (deal.opportunity_id, deal.referral_id)))
    output.say(f"{plain(deal.name or 'No name')} ({plain(ids)})")
    if deal.creates is not None:
        output.say(f"   {CREATED[deal.creates]}{', with ' if deal.further else ''}{plain(', '.join(deal.further))}")
    if deal.adopts:
        output.say("   links opportunity and referral")
    for line in _values(deal) if deal.creates else _changes(deal):
        output.say(f"   {line}")
    for note in deal.notes:
        output.say(f"   {SIGNS.get(note.kind, '')}{plain(note.text)}")


def _values(deal: DealPreview) -> Iterator[str]:
    """The values of a new record."""
    return (f"   {plain(one.label)}: {plain(one.new)}" for one in (*deal.to_partner_center, *deal.to_salesforce))


def _changes(deal: DealPreview) -> Iterator[str]:
    yield from (f"to Partner Center: {text}" for text in change_texts(deal.to_partner_center))
    yield from (f"to Salesforce: {text}" for text in change_texts(deal.to_salesforce))
    yield from (f"stopped until `cosell approve`: {text}" for text in change_texts(deal.stopped))


def change_texts(changes: Sequence[ShownChange]) -> Iterator[str]:
    """Each change as one line: the field, the value that is there, and the one that comes."""
    return (f"{plain(one.label)}: {plain(one.old)} -> {plain(one.new)}" for one in changes)
