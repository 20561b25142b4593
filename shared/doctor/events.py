"""The check of the webhook registration (reference/partner-center.md 11)."""

from shared.doctor.patient import Patient
from shared.doctor.verdict import Verdict, skipped


def registration(_: Patient) -> Verdict:
    """Events come to our door."""
    return skipped("run `cosell webhook show`")
