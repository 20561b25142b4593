"""Runs one seed, and prints its trace and what was found: `python -m tests.simulation 7`.

Names of traits may follow, which the seed then has: `python -m tests.simulation 7 AUTOMATION`. With `--shrink`, the
shortest story that breaks the same promise. `python -m tests.simulation --seeds 2000` runs many seeds, and `--sabotage
"the lease is ignored"` finds a seed that notices a connector which is broken on purpose (sabotages.py).
"""

import logging
import sys
from argparse import ArgumentParser, Namespace

from tests.no_waits import no_waits
from tests.simulation import campaign, noticing, world
from tests.simulation.driver import simulate
from tests.simulation.sabotages import SABOTAGES

KNOWN = world.CHANCES | world.FURTHER
TRAITS = {name: value for name, value in vars(world).items() if isinstance(value, str) and value in KNOWN}


def main() -> int:
    """Run the seed or the seeds. The exit code is 1 if something was found."""
    parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument(
        "also", nargs="*", metavar="TRAIT", choices=[*TRAITS, []], help="traits that the seed must have"
    )
    parser.add_argument("--only", action="store_true", help="the seed has no other traits")
    parser.add_argument("--shrink", action="store_true", help="tell the shortest story that breaks the same promise")
    parser.add_argument("--seeds", type=int, help="run so many seeds, from the given one on")
    parser.add_argument("--sabotage", choices=SABOTAGES, metavar="WHAT", help="find a seed that notices it")
    arguments = parser.parse_args()
    if unknown := set(arguments.also) - set(TRAITS):
        parser.error(f"unknown trait {min(unknown)}")
    if arguments.sabotage:
        return noticing.run(arguments.sabotage, arguments.seeds or noticing.ALL)
    if arguments.seeds:
        return campaign.run(arguments.seed, arguments.seeds)
    return _run_one(arguments)


def _run_one(arguments: Namespace) -> int:
    logging.disable()  # the clients log each repeated read
    also = [TRAITS[name] for name in arguments.also]
    if arguments.shrink:
        lines = list(campaign.told_story(arguments.seed, also=also, only=arguments.only))
        sys.stdout.write("\n".join([*(lines or ["nothing found"]), ""]))
        return 1 if lines else 0
    with no_waits():
        outcome = simulate(arguments.seed, also=also, only=arguments.only)
    lines = [*outcome.trace, f"digest of the writes: {outcome.digest}", *(outcome.findings or ["nothing found"])]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
