"""The work on one pair: lease, recovery, plan, writes, confirmation and audit lines."""
