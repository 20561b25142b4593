"""Computes the wait before a pair is tried again: it grows to an hour at most, with full jitter.

Source: docs/protocol.md#between-runs.
"""

from datetime import datetime, timedelta

from shared.sync.context import Context


def next_attempt(ctx: Context, attempts: int) -> datetime:
    """The time of the next attempt after `attempts` failed ones, UTC."""
    return ctx.clock.now() + backoff(ctx, attempts)


def backoff(ctx: Context, attempts: int) -> timedelta:
    """A random wait between the shortest wait and a bound that doubles with each attempt, an hour at most."""
    longest = min(ctx.policy.longest_wait, ctx.policy.shortest_wait * (1 << min(attempts, 10)))
    return ctx.policy.shortest_wait + (longest - ctx.policy.shortest_wait) * ctx.chance()
