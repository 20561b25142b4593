"""Runs the story of `make run`: deals travel between Salesforce and Partner Center, all on one machine.

It starts the emulated systems and the local Functions host. Then a seller, a colleague and Microsoft act, and after
each step the story checks what both sides hold. It does not wait for schedules: it runs a timer function as soon as
the step before is done. Exit status: 0, or 1 with the reason, 2 for a wrong setting, 130 after Ctrl-C.
"""

import logging
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.edit_steps import EditStory
from local.host.functions_host import Host
from local.narrator import LogWatcher, Narrator, StoryFailed
from local.storage import AZURITE, open_storage
from local.systems import ROOT, start_systems
from shared.foundation.errors import ConfigurationError

PLAIN_WIDTH = 120
"""Columns of the output if it does not go to a terminal."""
INTERRUPTED = 128 + signal.SIGINT
"""The exit status that shells give to a program which Ctrl-C ended."""


def run_story(deals: int, console: Console) -> None:
    """Start everything, and run all steps with `deals` deals in each direction.

    Raises:
        StoryFailed: a check failed.
        ConfigurationError: a setting is wrong, or Azurite cannot run.
        Exception: whatever the systems raise.
    """
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        LogWatcher().attach() as watcher,
        start_systems(Path(folder)) as systems,
        open_storage(systems.environ, ROOT, Path(folder)) as storage,
        Host(ROOT, environ=storage.environ, queue=storage.queues) as host,
        closing(systems.partner_center),  # stops sending events before the host stops
    ):
        narrator = Narrator(console, watcher)
        host.start(tls=systems.authority.server_context())
        systems.partner_center.register_events(f"{host.url}/api/events")
        _introduce(narrator, host, azurite=storage.name == AZURITE)
        _run_steps(EditStory(systems, host, narrator, deals))
        console.print(f"\n[green]Both sides agree.[/green] The story took {narrator.elapsed_seconds:.1f} s.")


def _introduce(narrator: Narrator, host: Host, *, azurite: bool) -> None:
    narrator.print_step("Emulators of Salesforce, Partner Center, Entra ID and Key Vault are running, all with TLS.")
    narrator.print_step(f"The local Functions host has loaded the app: {', '.join(sorted(host.functions))}.")
    if azurite:
        narrator.print_step("Queues and tables are in Azurite, Microsoft's storage emulator.")
    else:
        narrator.print_step("Queues and tables are embedded in SQLite. STORAGE=azurite makes them Azurite's.")
    narrator.print_step(
        "In production, what cannot be undone waits 2 minutes before it is sent. In this story it does not wait."
    )
    narrator.print_step(
        "In production, more than 50 new deals a day wait for an operator. This story raises MASS_CHANGE_LIMIT."
    )


def _run_steps(story: EditStory) -> None:
    steps: tuple[Callable[[], None], ...] = (
        story.seller_ticks_opportunities,
        story.seller_edits_opportunities,
        story.colleague_edits_referrals,
        story.microsoft_sends_referrals,
        story.seller_asks_microsoft,
        story.seller_answers_microsoft,
        story.seller_shares_private_deal,
        story.both_sides_add_solutions,
        story.seller_adds_contact,
        story.forged_and_repeated_events,
        story.incomplete_opportunity,
        story.sweep_finds_nothing,
        story.both_sides_agree,
        story.print_summary,
    )
    try:
        for step in steps:
            step()
    except KeyboardInterrupt:
        # A run in another thread still ends, and would log errors because the emulators have stopped.
        logging.disable()
        raise


def main() -> int:
    """Run the story with as many deals in each direction as DEALS says (10 if it is not set)."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    deals = os.environ.get("DEALS", "10")
    if not re.fullmatch("[1-9][0-9]{0,6}", deals):
        message = f"DEALS must be a whole number from 1 to 9999999, not {deals!r}. Example: make run DEALS=1000"
        console.print(message, markup=False)
        return 2
    try:
        run_story(int(deals), console)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return INTERRUPTED
    except ConfigurationError as error:
        console.print(f"Cannot run: {error}", markup=False)
        return 2
    except StoryFailed as failure:
        console.print(f"\n[red]The story failed:[/red] {escape(str(failure))}")
        return 1
    except Exception as failure:  # noqa: BLE001 - for every error, the reader gets the reason and an exit status
        console.print(f"\n[red]The story failed:[/red] {type(failure).__name__}: {escape(str(failure))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
