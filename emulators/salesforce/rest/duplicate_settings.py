"""Tell which duplicate rules are active: `GET /ui-api/duplicates/NAME`.

The contract: docs/reference/salesforce.md#duplicate-rules.
"""

from typing import Any

from emulators.salesforce.data.duplicate_rules import DuplicateRules, compared_parts
from emulators.salesforce.rest.call import Reply, RestContext
from emulators.salesforce.rest.records import object_by_name


def describe_duplicate_rules(context: RestContext, name: str) -> Reply:
    """The duplicate management of one object. Raises ApiError for an object that the caller does not see."""
    context.tag("duplicates")
    sobject = object_by_name(context.org, name).name
    switches = (each for each in context.org.switches if isinstance(each, DuplicateRules))
    rules = [_rule(sobject, switch) for switch in switches if compared_parts(sobject)]
    return Reply(
        200,
        {
            "apiName": sobject, "dedupeEnabled": bool(rules), "predupeEnabled": bool(rules),
            "dedupeFields": list(compared_parts(sobject)) if rules else [], "duplicateRules": rules,
        },
    )  # fmt: skip


def _rule(sobject: str, switch: DuplicateRules) -> dict[str, Any]:
    return {
        "name": f"Standard {sobject} Duplicate Rule", "active": True, "duplicateRuleFilters": [], "matchRules": [],
        "actionOnInsert": "Block" if sobject in switch.blocks else "Allow", "operationsOnInsert": ["Alert", "Report"],
        "actionOnUpdate": "Allow", "operationsOnUpdate": ["Report"],
    }  # fmt: skip
