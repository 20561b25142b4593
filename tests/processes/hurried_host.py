"""Runs the local host with the app, whose retry queue waits seconds instead of minutes: the long run has no hours.

Nothing else differs from `python -m local.host`.
"""

import sys
from copy import replace
from datetime import timedelta

import shared.app
from local.host.__main__ import main
from shared.app import App
from shared.domain.policy import Policy

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(seconds=4)
_policy_of = App._policy


def _hurried_policy(app: App) -> Policy:
    return replace(_policy_of(app), shortest_wait=SHORTEST, longest_wait=LONGEST)


if __name__ == "__main__":
    vars(shared.app)["App"]._policy = _hurried_policy  # no setting shortens the waits of the retry queue
    sys.exit(main())
