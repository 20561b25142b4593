"""Says why a flagged opportunity cannot become a referral yet (docs/protocol.md#states-of-a-link)."""

from collections.abc import Mapping

from shared.domain.cause import Cause
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import Status
from shared.domain.permission import refusals_to_create
from shared.domain.policy import Policy
from shared.domain.records import Opportunity
from shared.domain.sentences import cause

REQUIRED = ("name", "account", "money", "closing", "solutions", "team", "status")
"""The fields without which a referral cannot be created (docs/reference/partner-center.md#creating-a-referral)."""


def creation_obstacles(opportunity: Opportunity, policy: Policy) -> Mapping[str, Cause]:
    """Why a flagged opportunity cannot become a referral yet, by field; empty if it can."""
    if refused := refusals_to_create(opportunity.sharing, policy):
        return refused
    if opportunity.sharing.help:
        return {"help": cause("help_asked", "help")}
    return {name: found for name in REQUIRED if (found := _obstacle(opportunity, name))}


def _obstacle(opportunity: Opportunity, name: str) -> Cause | None:
    problem = opportunity.problems.get(name)
    if problem is not None and problem.code != TEXT_CUT:
        return problem
    value = opportunity.deal.get(name)
    if not value:
        return cause(f"missing_{name}", name)
    if isinstance(value, Status) and value.is_unanswered:
        return cause("stage_on_hold", name, value=value)
    return None
