"""Says why a flagged opportunity cannot be sent yet: as a referral, or as a request for help to Microsoft.

Source: docs/protocol.md#states-of-a-link, docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Iterator, Mapping

from shared.domain.cause import Cause
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import TEAM, Person, Status
from shared.domain.field_rules import Rules
from shared.domain.help_request import HELP
from shared.domain.listed_texts import listed
from shared.domain.member_sets import members_of
from shared.domain.permission import newly_shared, refusals_to_ask, refusals_to_create
from shared.domain.policy import Policy
from shared.domain.records import Opportunity
from shared.domain.sentences import cause
from shared.domain.sharing import HELP_LABELS, DealType

SOLUTIONS = "solutions"
REQUIRED = ("name", "account", "money", "closing", "solutions", "team", "status")
"""The fields without which a referral cannot be created (docs/reference/partner-center.md#creating-a-referral)."""

FIXED_AT_CREATION = ("bad_attribute", "unlisted_location", "unlisted_setting", "hidden_location")
"""The codes of problems that hold a deal although no referral needs the value, because it may be fixed afterwards."""


def creation_obstacles(opportunity: Opportunity, rules: Rules, policy: Policy) -> Mapping[str, Cause]:
    """Why a flagged opportunity cannot become a referral yet, by field; empty if it can.

    What only Microsoft demands counts too, because both are sent together.
    """
    if refused := refusals_to_create(opportunity.sharing, policy):
        return refused
    found = {name: one for name in REQUIRED if (one := _obstacle(opportunity, name))}
    found |= {name: one for name, one in opportunity.problems.items() if one.code in FIXED_AT_CREATION}
    found |= _obstacles_in_solutions(opportunity, rules)
    found |= _newly_sent(opportunity, rules, policy) if policy.unapproved else {}
    if not opportunity.sharing.help:
        return found
    status = opportunity.deal.get("status")
    closed = {HELP: cause("help_closed", HELP)} if isinstance(status, Status) and status.is_final else {}
    return {**found, **closed, **_demands_of_microsoft(opportunity, rules)}


def _newly_sent(opportunity: Opportunity, rules: Rules, policy: Policy) -> dict[str, Cause]:
    """The fields that a referral needs, or that travel only now, and that nobody has approved to be sent."""
    needed = {*REQUIRED, *(rule.field for rule in rules.set_at_creation)} & policy.unapproved
    held = (name for name in rules.by_field if name in needed)
    found = {name: cause("newly_sent", name, label=rules[name].label) for name in held}
    sharing = opportunity.sharing
    return found if sharing.deal_type is DealType.PRIVATE else {**found, **newly_shared(sharing, policy)}


def help_obstacles(opportunity: Opportunity, rules: Rules, policy: Policy) -> Mapping[str, Cause]:
    """Why Microsoft cannot be asked for help with a deal that has its referral; empty if it can."""
    if refused := refusals_to_ask(opportunity.sharing, policy):
        return refused
    found = {name: _stops_only_help(one) for name in REQUIRED if (one := _obstacle(opportunity, name))}
    return {**found, **_demands_of_microsoft(opportunity, rules)}


def _stops_only_help(found: Cause) -> Cause:
    """The cause that says of a linked deal that only the request is not sent."""
    texts = {"reason": found.reason.removesuffix("."), "remedy": found.remedy.removesuffix(".")}
    return cause("help_lacks", found.field, **texts)


def _obstacles_in_solutions(opportunity: Opportunity, rules: Rules) -> dict[str, Cause]:
    """Why the solutions stop a new deal: too many, or no rows of them, or one that the catalogue has as inactive."""
    rule, found = rules.by_field.get(SOLUTIONS), opportunity.unsendable.get(SOLUTIONS, {})
    if rule is None or SOLUTIONS in opportunity.problems:
        return {}
    solutions = members_of(opportunity.deal.get(SOLUTIONS))
    if rule.at_most is not None and len(solutions) > rule.at_most:
        return {SOLUTIONS: cause("too_many_solutions", SOLUTIONS)}
    if not rule.in_rows:
        return {}
    if not solutions:
        return {SOLUTIONS: cause("missing_solution_rows", SOLUTIONS)}
    inactive = [str(one) for key, one in solutions.items() if key in found]
    return {SOLUTIONS: cause("inactive_solutions", SOLUTIONS, value=listed(inactive))} if inactive else {}


def _demands_of_microsoft(opportunity: Opportunity, rules: Rules) -> Mapping[str, Cause]:
    """What Microsoft demands of a request for help, and the deal lacks."""
    found, sharing = dict[str, Cause](), opportunity.sharing
    if sharing.visible is None:
        found[HELP] = cause("help_asked", HELP)
    elif sharing.code is None:
        found[HELP] = cause("help_unknown", HELP, value=sharing.help, known=HELP_LABELS)
    if not any(person.is_complete_with(parts) for person, parts in _contacts(opportunity, rules)):
        found["contacts"] = cause("help_without_contact", "contacts")
    solutions = members_of(opportunity.deal.get(SOLUTIONS))
    if solutions and not any(_is_co_sell_ready(key, opportunity, rules) for key in solutions):
        found[SOLUTIONS] = cause("help_without_solution", SOLUTIONS, value=", ".join(map(str, solutions.values())))
    return found


def _is_co_sell_ready(key: str, opportunity: Opportunity, rules: Rules) -> bool:
    """Whether a solution is co-sell ready, as its row says, or else the mapping file; what nobody knows may be."""
    rows = (row.about.get("co_sell_ready") for row in opportunity.rows.get(SOLUTIONS, ()) if row.key == key)
    known = next((ready for ready in rows if ready is not None), None)
    return bool(known) if known is not None else key not in rules.not_co_sell_ready


def _contacts(opportunity: Opportunity, rules: Rules) -> Iterator[tuple[Person, frozenset[str]]]:
    """The contacts of the customer, with the parts that defaults fill in."""
    for name, value in opportunity.deal.items():
        parts = rules[name].completes if name in rules.by_field else frozenset()
        for person in value if name != TEAM and isinstance(value, tuple) else ():
            if isinstance(person, Person):
                yield person, parts


def _obstacle(opportunity: Opportunity, name: str) -> Cause | None:
    problem = opportunity.problems.get(name) or opportunity.lacking.get(name)
    if problem is not None and problem.code != TEXT_CUT:
        return problem
    value = opportunity.deal.get(name)
    if not value:
        return cause(f"missing_{name}", name)
    if isinstance(value, Status) and value.is_unanswered:
        return cause("stage_on_hold", name, value=value)
    return None
