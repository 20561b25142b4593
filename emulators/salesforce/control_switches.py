"""Answer the control requests that make the org as strict as real orgs are. All switches are off at first.

Each switch changes the org itself, so that describe and every write path follow it:

POST /save_rule {sobject, formula, message, field?}    refuse every save of a record for which the formula is true

The first day of the org, which begins again after a reset, has none of them.
"""

from collections.abc import Callable
from typing import Any

from emulators.salesforce.emulated_org import EmulatedOrg
from emulators.salesforce.metadata.component_xml import rule_of_formula

type Body = dict[str, Any]
type Control = Callable[[Body], Any]


def switch_controls(emulated: EmulatedOrg) -> dict[str, Control]:
    """The functions that answer the requests, by the name of the request."""
    return {
        "save_rule": lambda body: _add_save_rule(emulated, body),
    }


def _add_save_rule(emulated: EmulatedOrg, body: Body) -> None:
    definition = emulated.org.model.get(body["sobject"])
    rule = rule_of_formula(definition, str(body["formula"]), str(body["message"]), str(body.get("field") or ""))
    emulated.org.hooks.formula_rules.append(rule)
