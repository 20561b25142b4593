"""Faults of attributes in a mapping file, and their sentences."""

from collections.abc import Mapping

ROLE = '[fields.role]\ntype = "attribute"\nlabel = "Role"\nkind = "Role"\n'
A_TABLE = 'a table of ids by their values in Salesforce, such as { "Not yet" = "HaveNotDecided" }'

ATTRIBUTE_FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "an attribute that is never sent": (
        f'{ROLE}values = {{ "A" = "a" }}',
        ["line 2: fields.role: expected the key salesforce, the key constant, or both; found neither."],
    ),
    "a constant that is no value": (
        '[fields.marketplace_intent]\nconstant = "Have not decide"',
        [
            (
                "line 3: fields.marketplace_intent.constant: expected a value that values lists; found "
                '"Have not decide". Did you mean Have not decided?'
            )
        ],
    ),
    "values that are none": (
        f'{ROLE}salesforce = "Role__c"\nvalues = {{}}',
        [f"line 7: fields.role.values: expected {A_TABLE}; found an empty table."],
    ),
    "an id that is a number": (
        f'{ROLE}salesforce = "Role__c"\nvalues = {{ "A" = 1 }}',
        ["line 7: fields.role.values.A: expected a text in quotation marks; found a number."],
    ),
    "an attribute without a type of Microsoft's": (
        '[fields.role]\ntype = "attribute"\nlabel = "Role"\nsalesforce = "Role__c"\nvalues = { "A" = "a" }',
        ["line 2: fields.role.kind: this key is missing; expected a text in quotation marks that is not empty."],
    ),
    "a type that two fields have": (
        f'{ROLE.replace("Role", "solutionarea")}salesforce = "Role__c"\nvalues = {{ "A" = "a" }}',
        [
            (
                'line 5: fields.role.kind: expected a type that no other field has; found "solutionarea", which '
                "fields.solution_area has too. Choose one of the two."
            )
        ],
    ),
    "a key of an attribute with a typing error": (
        f'{ROLE}salesforce = "Role__c"\nvalue = {{ "A" = "a" }}',
        [
            (
                "line 7: fields.role.value: this key is not known; expected one of label, direction, when, winner, "
                "clearable, optional, type, kind, values, constant, referral, salesforce. Did you mean values?"
            )
        ],
    ),
}
