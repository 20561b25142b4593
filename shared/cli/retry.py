"""Run `cosell sync` and `cosell retry`: let the app work on deals now.

The commands write to neither side (`shared/operations/ask_app.py`).
"""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.operator import record_action
from shared.cli.output import Output, plain
from shared.cli.waiting import print_waiting
from shared.domain.deal import Side
from shared.domain.policy import PULL, PUSH
from shared.domain.sighting import RELATED
from shared.foundation.errors import ConfigurationError
from shared.operations.ask_app import (
    Asked,
    ask,
    asked_of,
    find_failed,
    left_waiting,
    why_it_waits,
    with_cause,
)
from shared.operations.find_pair import find_deal
from shared.operations.refused_columns import REFUSED_COLUMNS
from shared.operations.status_report import retried_causes
from shared.operations.waiting_list import Waiting

SHOWN = 20
"""So many deals are printed."""
AT_ONCE = 100
"""So many entries are written between two steps of the progress."""


_TRIED = "The app may have tried it already, after an edit: `cosell status` shows what is left."


def sync(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Opportunity or referral ids.")],
    env: Env,
    as_json: Json = False,
) -> None:
    """Let the app read both sides of these deals and sync them now."""
    run_command(env, as_json, lambda _, output: run_sync(output, "sync", ids))


def retry(
    env: Env,
    deal: Annotated[str | None, typer.Argument(metavar="ID", help="An opportunity or referral id.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", metavar="CODE", help="All deals with this cause.")] = None,
    all_deals: Annotated[bool, typer.Option("--all", help="All deals that are held, parked or failed.")] = False,
    as_json: Json = False,
) -> None:
    """Let the app try again what was held, parked or failed."""
    run_command(env, as_json, lambda _, output: run_retry(output, deal, cause, all_deals=all_deals))


def run_sync(output: Output, action: str, ids: Sequence[str]) -> Exit:
    """Ask for single deals. Raises ConfigurationError for an id that is unknown, before any deal is asked for."""
    app = App()
    try:
        found = [asked_of(app.local, find_deal(app.store, each)) for each in ids]
        waiting = [one for one in found if one.needs_approval]
        for one in waiting:
            output.say(f"{_named(one)} waits for an approval, which a retry does not replace: run `cosell approve`.")
        well = [one for one in found if one.is_well and action == "retry"]
        for one in well:
            output.say(f"Nothing of {_named(one)} is held, parked or failed, so there is nothing to try again.")
            output.say(f"Nothing was asked. `cosell sync {one.id}` lets the app read both sides anyway.")
        asked = [one for one in found if one not in waiting and one not in well]
        return _ask(app, output, action, " ".join(one.key for one in asked), asked, is_well=not waiting)
    finally:
        app.close()


def run_retry(output: Output, deal: str | None, cause: str | None, *, all_deals: bool) -> Exit:
    """Run the command. Raises ConfigurationError unless exactly one choice is given, and the errors of the store."""
    if sum((deal is not None, cause is not None, all_deals)) != 1:
        raise ConfigurationError("retry: give exactly one of ID, --cause CODE and --all")
    if deal is not None:
        return run_sync(output, "retry", [deal])
    app = App()
    try:
        with output.show_progress("reading the store") as bar:
            found = find_failed(app, bar.move_to, with_next=not all_deals)
        found = with_cause(found, cause, lambda: retried_causes(app)) if cause else found
        if not found:
            output.say(
                f"No deal has the cause {plain(cause)} now. {_TRIED}" if cause else "Nothing is held, parked or failed."
            )
        left = left_waiting(app, found) if all_deals else ()
        return _ask(app, output, "retry", f"cause {cause}" if cause else "all", found, left=left)
    finally:
        app.close()


def _ask(
    app: App,
    output: Output,
    action: str,
    scope: str,
    asked: Sequence[Asked],
    *,
    is_well: bool = True,
    left: Sequence[Waiting] = (),
) -> Exit:
    """Leave the entries and print them; `left` is what a retry of all does not ask for, because it would not help."""
    operator = record_action(app, action, scope) if asked else ""
    with output.show_progress("asking the app", len(asked)) as bar:
        done = 0
        for batch in batched(asked, AT_ONCE, strict=False):
            app.local.map(lambda one: ask(app.local, one, operator), batch)
            done += len(batch)
            bar.move_to(done)
    directions = {PUSH if one.side is Side.SALESFORCE else PULL for one in asked}
    obstacles = why_it_waits(app, *sorted(directions)) if asked else ()
    _print_asked(output, asked, obstacles)
    print_waiting(left, app.clock.now(), output, "Not asked for, because a retry changes nothing")
    output.print_document({
        "ok": is_well, "asked": [to_builtins(one) for one in asked], "obstacles": list(obstacles),
        "left": to_builtins(left),
    })  # fmt: skip
    return Exit.OK if is_well else Exit.PROBLEM


def _print_asked(output: Output, asked: Sequence[Asked], obstacles: Sequence[str]) -> None:
    if asked:
        output.say("Asked for:")
    for one in asked[:SHOWN]:
        output.say(f"   {_named(one)}{_causes(one)}")
    if len(asked) > SHOWN:
        output.say(f"And {len(asked) - SHOWN} more.")
    for one in [one for one in asked if one.is_busy][:SHOWN]:
        output.say(f"The app works on {_named(one)} now. It looks at it once more when that has ended.")
    for sentence in obstacles:
        output.say(plain(sentence))
    if asked and not obstacles:
        begins = "works" if len(asked) <= SHOWN else "begins to work"  # one run takes 2,000 entries at most
        output.say(f"The app {begins} on {len(asked)} within a minute. Until then `cosell status` names who has asked.")
    for sentence in where_results_are(asked):
        output.say(sentence)


def _named(one: Asked) -> str:
    """The id as it was given, with the name of the deal, and its opportunity where that is another id."""
    is_other = one.typed and one.has_opportunity and one.typed != one.key
    more = filter(None, (one.name, f"opportunity {one.key}" if is_other else ""))
    told = ", ".join(map(plain, more))
    return f"{plain(one.id)} ({told})" if told else plain(one.id)


def _causes(one: Asked) -> str:
    """Why it is asked for, in words, with the codes that `--cause` takes."""
    return f": {plain(one.reason)} ({plain(', '.join(one.causes))})" if one.causes else ""


def where_results_are(asked: Sequence[Asked]) -> Iterator[str]:
    """Say where the result is seen, once for each kind of deal that was asked for."""
    linked = [one for one in asked if one.side is Side.SALESFORCE or one.has_opportunity]
    refused = [one for one in linked if REFUSED_COLUMNS in one.causes]
    arriving = [one for one in asked if one not in linked and not one.key.startswith(RELATED)]
    if len(linked) > len(refused):
        yield "The result is in the Audit of the opportunity, and in its Sync Status."
    if refused:
        shown = f"`cosell status {refused[0].id}` names those that it still refuses"
        yield f"Columns that could not be written back show their new values if Salesforce takes them; {shown}."
    if arriving:
        key = arriving[0].id
        yield (
            "A referral that becomes an opportunity leaves the tab Co-sell Inbox; "
            f"`cosell status {key}` gives the opportunity, or why there is none."
        )
    if len(asked) > len(linked) + len(arriving):
        yield "A record of another party is no longer listed by `cosell status` once it was heard."
