"""Runs one seed, and prints its trace and what was found: `python -m tests.simulation 7`.

Names of what is left out otherwise may follow the seed: `python -m tests.simulation 7 AUTOMATION`.
"""

import logging
import sys
from argparse import ArgumentParser

import stamina

from tests.simulation import clocks, leaving, lists, microsoft, moves, names
from tests.simulation.driver import simulate


def main() -> int:
    """Run the seed. The exit code is 1 if something was found."""
    parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("also", nargs="*", help="causes of moves.py, microsoft.py and lists.py")
    parser.add_argument("--strictly", action="store_true", help="judge strictly (oracle.py)")
    arguments = parser.parse_args()
    logging.disable()  # the clients log each repeated read
    with stamina.set_testing(True, attempts=3, cap=True):
        causes = {**vars(clocks), **vars(leaving), **vars(moves), **vars(microsoft), **vars(lists), **vars(names)}
        also = [causes[name] for name in arguments.also]
        outcome = simulate(arguments.seed, also=also, strictly=arguments.strictly)
    lines = [*outcome.trace, f"digest of the writes: {outcome.digest}", *(outcome.findings or ["nothing found"])]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
