"""Check whether changes or fields wait for an operator (docs/protocol.md#the-mass-change-stop)."""

from collections.abc import Sequence

from shared.app import App
from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.mapping_change import unapproved_fields
from shared.domain.sentences import system_name
from shared.mapping.outbound import label_of, outbound_sources
from shared.operations.stopped_changes import Stop, find_stops

APPROVE = "Run `cosell approve`: it shows what waits, and asks."


def check_approvals(installation: Installation) -> Verdict:
    """Check that the mass-change stop holds nothing back, and that no field is newly sent."""
    app = installation.app
    file, approved = app.translation.file, app.store.approved_fields()
    new = sorted(unapproved_fields(outbound_sources(file), approved)) if approved is not None else []
    found = [_described(stop) for stop in _stops(app)]
    found += [f"the field {label_of(file, name)}, which is newly sent" for name in new]
    return failed(f"waiting for an approval: {'; '.join(found)}", APPROVE) if found else ok("nothing waits")


def _stops(app: App) -> Sequence[Stop]:
    """What the mass-change stop holds back. While that is nothing, no context is made: it notes a first start."""
    is_stopped = any(count.since is not None for count in app.store.mass_counts().values())
    return find_stops(app.local) if is_stopped else ()


def _described(stop: Stop) -> str:
    number = len(stop.deals)
    changes = f"{number} {'change' if number == 1 else 'changes'} in {system_name(stop.side)}"
    return f"{changes}, stopped at the limit of {stop.limit} a day: {stop.meaning}"
