"""Check whether changes or fields wait for an operator (docs/protocol.md#the-mass-change-stop)."""

from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.mapping_change import unapproved_fields
from shared.mapping.outbound import outbound_sources

APPROVE = "Run `cosell approve`: it shows what waits, and asks."


def check_approvals(installation: Installation) -> Verdict:
    """Check that the mass-change stop holds nothing back, and that no field is newly sent."""
    store, file = installation.app.store, installation.app.translation.file
    stopped = sorted(name for name, count in store.mass_counts().items() if count.since is not None)
    approved = store.approved_fields()
    new = sorted(unapproved_fields(outbound_sources(file), approved)) if approved is not None else []
    found = [f"changes of the kind {name.split('|')[0]} in {name.split('|')[1]}" for name in stopped]
    found += [f"the field {name}, which is newly sent" for name in new]
    return failed(f"waiting for an approval: {'; '.join(found)}", APPROVE) if found else ok("nothing waits")
