"""The engine's context for a preview: it reads store and sides, keeps its changes in memory, and writes nothing.

Source: docs/protocol.md#a-preview.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from typing import Any

from msgspec import Struct

from shared.app import App
from shared.operations.read_only_sides import Calls, ReadOnlyPartnerCenter, ReadOnlySalesforce
from shared.store.link_store import LinkStore
from shared.store.preview_rows import PreviewRows
from shared.store.rows import Rows
from shared.sync.approved_fields import with_unapproved
from shared.sync.ports import Context, Mode


class KeptLog:
    """Keeps the log events of a preview in place of writing them: they say what the engine has decided."""

    def __init__(self) -> None:
        """Begin without events."""
        self._events: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}

    def __call__(self, event: str, /, **fields: object) -> None:
        """Keep one event, with the ids of the records that it is about."""
        for name in ("opportunity_id", "referral_id", "key"):
            if isinstance(key := fields.get(name), str):
                self._events.setdefault(key, []).append((event, fields))

    def take(self) -> Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]:
        """Return the events since the last call, by the ids of their records."""
        taken, self._events = self._events, {}
        return taken


class Preview(Struct, frozen=True):
    """What a preview works with. `ctx` has the engine's own ports: those of the fields beside it."""

    ctx: Context
    rows: PreviewRows
    partner_center: ReadOnlyPartnerCenter
    salesforce: ReadOnlySalesforce
    log: KeptLog
    calls: Calls


def open_preview(app: App, *, asks_org: bool = True) -> Preview:
    """Return the preview of an environment as if its sync were on.

    From now on the app has a store that keeps its changes in memory. Unless `asks_org`, the last answer of the
    organisation counts, however old. Raises what `App.ask_org` raises.
    """
    rows = PreviewRows(app.rows)
    app.store = LinkStore(rows)
    known = None if asks_org else app.store.org_shape()
    ctx = replace(app.local, translation=app.translation.for_org(known[0])) if known else app.ask_org()
    return _preview_on(replace(ctx, store=app.store), rows)


def preview_of(ctx: Context, rows: Rows, *, sends_all: bool = False) -> Preview:
    """Return the preview of a context whose store is on these rows.

    With `sends_all`, fields that nobody has approved are sent too.
    """
    kept = PreviewRows(rows)
    return _preview_on(replace(ctx, store=LinkStore(kept)), kept, sends_all=sends_all)


def _preview_on(ctx: Context, rows: PreviewRows, *, sends_all: bool = False) -> Preview:
    """Return the preview of a context whose store is on `rows` already."""
    calls, log = Calls(), KeptLog()
    partner_center = ReadOnlyPartnerCenter(ctx.partner_center, calls)
    salesforce = ReadOnlySalesforce(ctx.salesforce, calls)
    coming = replace(
        ctx,
        partner_center=partner_center,
        salesforce=salesforce,
        log=log,
        policy=replace(ctx.policy, mode=Mode.ON, paused=frozenset(), unapproved=frozenset()),
        given={},
    )
    coming = coming if sends_all else with_unapproved(coming)
    return Preview(coming.begin_run(), rows, partner_center, salesforce, log, calls)
