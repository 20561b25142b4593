"""All seeded faults, and rewrites that change nothing.

A fault is a text replacement in one file, which exactly the named check must report. The kinds are those of the table
in docs/reference/azure.md#checks-beyond-the-compiler.
"""

from collections.abc import Mapping

from tests.unit.infra.azure.faults_of_code import FAULTS_OF_CODE
from tests.unit.infra.azure.faults_of_form import FAULTS_OF_FORM
from tests.unit.infra.azure.faults_of_meaning import ALERTS, APP, FAULTS_OF_MEANING, MAIN, NETWORK, RBAC, STORAGE, VAULT

FAULTS: list[tuple[str, str, str, str, str]] = [
    (kind, check, *replacement)
    for table in (FAULTS_OF_MEANING, FAULTS_OF_FORM, FAULTS_OF_CODE)
    for (kind, check), replacements in table.items()
    for replacement in replacements
]
"""Kind, check, file, original text, replacement."""

UNREADABLE = "unreadable"
"""Stands for a check where the reader itself refuses the file, as the compiler does."""

REWRITES: Mapping[str, list[tuple[str, str, str]]] = {
    "modules in another order": [(MAIN, r"(module storage .*?\n}\n\n)(module vault .*?\n}\n\n)", r"\2\1")],
    "resources in another order": [(STORAGE, r"(resource blobs .*?\n}\n\n)(resource packages .*?\n}\n\n)", r"\2\1")],
    "properties in another order": [(STORAGE, r"(    allowBlob.*?\n)(.*?)(    minimumTls.*?\n)", r"\3\2\1")],
    "array items in another order": [(NETWORK, r"(  { group: 'blob'.*?\n)(  { group: 'queue'.*?\n)", r"\2\1")],
    "rules in another order": [(ALERTS, r"(  \{\n    name: 'app-not.*?\n  \}\n)(  \{\n.*?\n  \}\n)", r"\2\1")],
    "another symbol of a module": [(MAIN, r"\brbac\b(?!\.bicep|')", "access")],
    "another symbol of a resource": [(STORAGE, r"\baccount\b(?!\.bicep| of)", "store"), (VAULT, r"\baudit\b(?!')", "log")],
    "another symbol of a grant": [(RBAC, r"\bappOnStorage\b", "first"), (RBAC, r"\bgroupReadsTable\b", "second")],
    "a condition the other way round": [(STORAGE, r"isPrivate \? 'Deny' : 'Allow'", "!isPrivate ? 'Allow' : 'Deny'")],
    "a text in a variable": [(STORAGE, "'TLS1_2'", "tls"), (STORAGE, r"\nresource account", "\nvar tls = 'TLS1_2'\n\nresource account")],
    "a text without its variable": [(RBAC, r"\(roleType, role\)", "('Microsoft.Authorization/roleDefinitions', role)")],
    "other descriptions and comments": [(MAIN, r"@description\('.*?'\)\nparam tags", "param tags"), (APP, "// .*\n", "")],
    "an id by another way": [(NETWORK, r"id: network::endpointSubnet\.id", "id: '${network.id}/subnets/endpoints'")],
}  # fmt: skip
"""What a person may rewrite without changing what is deployed: file, pattern, replacement."""
