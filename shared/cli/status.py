"""Run `cosell status`: print what waits and what is wrong, or with an id everything about one deal.

Without an id it reads the table alone, and no secret. With an id it prints values of the deal, which no log gets.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.explain import shown_time
from shared.cli.output import Output, plain
from shared.cli.state_words import pause_text, state_text, state_word, write_text
from shared.cli.waiting import BY_CAUSE, next_try, print_waiting, with_code, with_name
from shared.domain.cause import Cause
from shared.domain.deal import Side, display_text
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import system_name
from shared.operations.pair_fields import FieldReport, Standing
from shared.operations.pair_report import PairReport, pair_report
from shared.operations.queue_texts import is_approved
from shared.operations.refused_columns import REFUSED_COLUMNS, columns_text
from shared.operations.status_report import (
    Group,
    Request,
    SideReport,
    StatusReport,
    status_report,
)
from shared.store.stored_values import OPERATOR, WAITING

MEANINGS = {
    "held": "held: a seller must complete it",
    "parked": "parked: a service refuses it",
    "columns": "columns that cannot be written back",
    "inbox": "in the inbox: no deal can be made",
    "answer": "unanswered, and near its end",
    "stopped": "held back by the mass-change stop",
    "late": "late: tried again for longer than usual",
}
RUN_NAMES = {"compare": "daily compare", "manual_compare": "manual compare"}
"""Names of runs that say more than those of JSON."""
NO_VALUE = display_text(None)
MARKS = {
    Standing.DIFFERS: "≠",
    Standing.ON_FILE: "!",
    Standing.UNREADABLE: "!",
    Standing.AT_REST: "!",
}
VALUES = "Values (≠: they differ, as in `cosell compare`; !: known, and explained below)"
SHOWN_REQUESTS = 20
"""So many requests of operators are printed. JSON has all."""
SHOWN_LINES = 10
"""So many lines of the Audit are printed. JSON has all."""


def status(
    env: Env,
    deal: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The id of an opportunity or of a referral: only this deal.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what waits and what is wrong; with an id, everything about one deal."""
    run_command(env, as_json, lambda _, output: run_status(output, deal))


def run_status(output: Output, deal: str | None = None) -> Exit:
    """Run the command. Raises ConfigurationError, what the store raises, and with an id what both sides raise."""
    app = App()
    try:
        if deal is not None:
            return _run_pair(app, output, deal)
        with output.show_progress("reading the store"):
            report = status_report(app)
        _print_status(report, app.clock.now(), output)
        output.print_document({"ok": not report.groups, **to_builtins(report)})
        return Exit.PROBLEM if report.groups else Exit.OK
    finally:
        app.close()


def age(since: datetime | None, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit and the next smaller one: never by a whole day too short.

    Earlier builds stored no time of some rows: that is unknown.
    """
    if since is None:
        return "unknown"
    seconds = max(0, int((now - since).total_seconds()))  # the time of the store may be ahead of this machine
    for unit, size, next_unit, next_size in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60)):
        if seconds >= size:
            rest = seconds % size // next_size
            return f"{seconds // size} {unit}{f' {rest} {next_unit}' if rest else ''}"
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004 - seconds of a minute


# --- all deals


def _print_status(report: StatusReport, now: datetime, output: Output) -> None:
    health, paused = report.health, ", ".join(map(str, _list(report.health["paused"])))
    output.say(f"Mode {health['mode']}; mapping {health['mapping']}.")
    if paused:
        output.say(f"Paused: {paused}. To go on: `{_resume(tuple(map(str, _list(health['paused']))))}`.")
    output.say(f"This command is {health['version']}; Salesforce package: {plain(_package(health))}.")
    if health["wrong_organization"]:
        output.say(f"[red]The app must not use this organisation[/red]: {plain(health['wrong_organization'])}.")
    runs = [(RUN_NAMES.get(run, run), f"{age(at, now)} ago" if at else "never") for run, at in report.runs.items()]
    output.print_table(("run", "ended"), runs, title="Last runs")
    _print_sides(report, now, output)
    print_waiting(report.waiting, now, output, BY_CAUSE)
    links = ", ".join(f"{count} {state_word(state)}" for state, count in sorted(report.links.items()))
    output.say(f"Links: {links or 'none'}.")
    ends = [(plain(name), f"{end.astimezone(UTC):%Y-%m-%d}") for name, end in report.ends.items()]
    if ends:
        output.print_table(("secret", "ends"), ends, title="Credentials")
    else:
        output.say("Ends of credentials: not known yet; the daily run stores them.")
    _print_asked(report.asked, now, output)
    if report.groups:
        _print_groups(report.groups, now, output)
    else:
        output.say(_all_is_well(tuple(map(str, _list(health["paused"])))))


def _all_is_well(paused: Sequence[str]) -> str:
    """The last line where nothing is listed. It names a pause: an operator who forgot theirs would take it for well."""
    if not paused:
        return "Nothing is wrong."
    are = "are" if len(paused) > 1 else "is"
    return f"Nothing is wrong, but {' and '.join(paused)} {are} paused: `{_resume(paused)}`."


def _resume(paused: Sequence[str]) -> str:
    """The command that ends these pauses."""
    return "cosell resume" if len(paused) > 1 else f"cosell resume {paused[0]}"


def _print_asked(asked: Sequence[Request], now: datetime, output: Output) -> None:
    """Print what operators have asked for or approved, until the app has worked it."""
    if asked:
        output.say(f"Asked for or approved by operators, and not worked by the app yet: {len(asked)}")
    for one in asked[:SHOWN_REQUESTS]:
        who = _who_asked(one.operator, one.at, now)
        said = f"approved {who}, goes with the next run" if one.is_approved else who
        output.say(f"   {with_name(one.key, one.name)}: {said}")
    if len(asked) > SHOWN_REQUESTS:
        output.say(f"   and {len(asked) - SHOWN_REQUESTS} more")


def _who_asked(operator: str | None, at: datetime | None, now: datetime) -> str:
    when = f"{age(at, now)} ago ({shown_time(at)})" if at else "at an unknown time"
    return f"by {plain(operator or 'cosell backfill')}, {when}"


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _package(health: Mapping[str, object]) -> object:
    package = health["package"]
    return package.get("version") if isinstance(package, dict) else "not asked yet"


def _print_sides(report: StatusReport, now: datetime, output: Output) -> None:
    lines = []
    for side, queue in zip(report.sides, report.queues, strict=True):
        counts = str(queue.count), str(queue.late)
        oldest = age(queue.oldest, now) if queue.count else ""
        lines.append((system_name(side.side), _pauses(report, side), *counts, oldest))
    heads = "changes from", "stopped by", "waiting", "late", "oldest"
    output.print_table(heads, lines, title="Sides and backlog")


def _pauses(report: StatusReport, side: SideReport) -> str:
    """Why nothing that waits for changes of this side is worked now: the mode, a paused direction, the side itself."""
    mode, direction = report.health["mode"], PUSH if side.side is Side.SALESFORCE else PULL
    reasons = [f"mode {mode}"] if mode != "on" else []
    reasons += [f"pause of the {direction}"] if direction in _list(report.health["paused"]) else []
    reasons += [f"{pause_text(side.reason or '')} until {shown_time(side.paused_until)}"] if side.paused_until else []
    return ", ".join(reasons) or "nothing"


def _print_groups(groups: Sequence[Group], now: datetime, output: Output) -> None:
    output.say("To look at:")
    for group in groups:
        where = f" of {plain(group.label)}" if group.label else ""
        output.say(f"{group.count} x {MEANINGS[group.kind]} ({plain(group.code)}{where})")
        output.say(f"   {_example(group, now)}")
        if texts := " ".join(filter(None, (group.reason, group.remedy))):
            output.say(f"   {plain(texts)}")
        output.say(f"   Then: `{plain(group.command)}`")
    output.say(f"Next: `cosell status {plain(groups[0].example)}` shows one deal.")


def _example(group: Group, now: datetime) -> str:
    """The one deal of a group, or its oldest as an example, with its age, or with the time that is left."""
    leads, since = ("", "since") if group.count == 1 else ("for example ", "oldest")
    is_end = group.kind == "answer" and group.oldest is not None
    time = f"ends in {age(now, group.oldest or now)}" if is_end else f"{since} {age(group.oldest, now)}"
    return f"{leads}{with_name(group.example, group.name)}, {time}"


# --- one deal


def _run_pair(app: App, output: Output, deal: str) -> Exit:
    with output.show_progress("reading both sides"):
        report = pair_report(app, deal)
    now = app.clock.now()
    _print_pair(report, now, output)
    output.print_document({"ok": report.is_well, **to_builtins(report)})
    return Exit.OK if report.is_well else Exit.PROBLEM


def _print_pair(report: PairReport, now: datetime, output: Output) -> None:
    _print_state(report, now, output)
    shown = [one for one in report.fields if one.standing is not Standing.SAME or one.note or not _is_empty(one)]
    heads = "", "field", "agreed", "Salesforce", "Partner Center"
    output.print_table(heads, [_cells(one) for one in shown], title=VALUES)
    for one in shown:
        if one.why:
            output.say(f"   {plain(one.label)}: {plain(one.why)}{f' ({plain(one.note)})' if one.note else ''}.")
    if report.taken_next:
        output.say(f"   The next push takes from Salesforce: {plain(', '.join(report.taken_next))}.")
    if report.compare_says:
        output.say(f"   {report.compare_says}")
    versions = report.versions
    known, now_is, saved, mapping = (
        plain(versions[name] or "none") for name in ("known_referral", "referral", "opportunity", "mapping")
    )
    output.say(f"Referral version: known {known}, now {now_is}")
    output.say(f"Opportunity saved: {saved}; agreed under mapping {mapping}")
    _print_work(report, now, output)
    output.say("Audit:" if report.audit else "Audit: empty.")
    for line in report.audit[:SHOWN_LINES]:
        output.say(f"   {plain(line)}")
    if len(report.audit) > SHOWN_LINES:
        output.say(f"   and {len(report.audit) - SHOWN_LINES} older lines: `cosell status` with --json has all.")
    _print_next(report, output)


def _print_state(report: PairReport, now: datetime, output: Output) -> None:
    """Print which deal it is, its state, and what a person must do about it."""
    output.say(f"Deal: {plain(report.name or 'without a known name')}")
    output.say(f"Opportunity {report.opportunity_id or 'none'}, referral {report.referral_id or 'none'}")
    mark = f", Sync Status {report.mark}" if report.mark else ""
    if report.is_of_other_party:
        output.say("This is the record of Microsoft or of another partner. It has no opportunity of its own.")
    state = state_text(report.state) if report.state else "no link yet"
    output.say(f"State: {state}{mark}{', in the inbox' if report.in_inbox else ''}")
    if report.cause:
        _say_cause(output, f"{report.cause.reason} {report.cause.remedy}", _code_and_field(report, report.cause))
    if report.columns:
        _say_cause(output, columns_text(report.columns, report.columns_cause), REFUSED_COLUMNS)
    if report.answer_by:
        left = f", {age(now, report.answer_by)} from now" if report.answer_by > now else ""
        output.say(f"Answer by: {shown_time(report.answer_by)}{left}")
    if report.how_to_answer:
        output.say(f"   {plain(report.how_to_answer)}")
    for problem in report.problems:
        output.say(f"[red]{plain(problem)}[/red]")


def _code_and_field(report: PairReport, cause: Cause) -> str:
    """The code of a cause, with the label of its field, or the column where no field has this name."""
    labels = {one.field: one.label for one in report.fields}
    return f"{cause.code} of {labels.get(cause.field, cause.field)}" if cause.field else cause.code


def _say_cause(output: Output, text: str, code: str) -> None:
    """Print why the deal is not in step, in words, and the code that `cosell retry --cause` takes."""
    output.say(f"Cause: {plain(text)} ({plain(code)})")


def _cells(one: FieldReport) -> tuple[str, ...]:
    values = (one.base, one.salesforce, one.partner_center)
    return (MARKS.get(one.standing, ""), plain(one.label), *(plain(each or "") for each in values))


def _is_empty(one: FieldReport) -> bool:
    """Whether no side has a value: such fields are in the JSON only."""
    return {one.base, one.salesforce, one.partner_center} <= {None, NO_VALUE}


def _print_work(report: PairReport, now: datetime, output: Output) -> None:
    if report.parties:
        output.say(f"Other parties: {plain(', '.join(report.parties))}")
    if report.intent:
        output.say(f"The app works on it: {', '.join(map(write_text, report.intent))}")
    if (entry := report.retry_entry) is not None:
        waits = f"since {age(entry.since, now)}, "
        tries = f"{entry.attempts} {'tries' if entry.attempts > 1 else 'try'}, " if entry.attempts else ""
        output.say(f"In the retry queue: {waits}{tries}{next_try(entry.at, now)}")
        # Of a set time the last line says what happens then; what is approved waits for nobody any more.
        if not (report.is_retried and entry.cause == WAITING) and not is_approved(entry):
            output.say(f"   {with_code(report.queue_reason, entry.cause)}.")
        if entry.asked:
            who = _who_asked(entry.asked.operator, entry.asked.at, now)
            asked = f"Approved {who}. It goes with the next run" if is_approved(entry) else f"Asked for {who}"
            output.say(f"   {asked}. The app has not worked it yet.")
    else:
        output.say("Not in the retry queue.")


def _print_next(report: PairReport, output: Output) -> None:
    """Name the command that goes on: the field that differs, or a try again."""
    key = report.opportunity_id or report.referral_id
    differing = next((one for one in report.fields if one.standing in MARKS), None)
    if differing:
        command = f"`cosell explain {key} {differing.field}`"
        output.say(f"Next: {command} tells how the values of {plain(differing.label)} came about.")
    if report.how_to_answer:
        output.say(
            "Next: the owner answers it as above. The next push sends that, and `cosell status` shows the result."
        )
    if report.needs_approval:
        output.say("It waits for an approval: run `cosell approve`.")
    elif report.is_retried:
        entry, retry = report.retry_entry, f"`cosell retry {key}`"
        if entry is None or entry.cause == OPERATOR:
            output.say(f"After the remedy: {retry}.")
        else:
            output.say(f"The app tries again at {shown_time(entry.at)}; after the remedy, {retry} does it at once.")
