"""Names the record that keeps a deal held: its customer's account or its owner, by name and id, with the value there.

The store keeps the cause alone, which names neither. It costs one call of Salesforce, and only for such a cause.
"""

import re
from copy import replace

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal
from shared.sync.ports import Context, text_literal

_OF_PARENT = re.compile(r"(?P<parent>[A-Za-z]\w*)\.(?P<column>[A-Za-z]\w*)")
"""A column of a record that the opportunity refers to, such as `Account.BillingCountry`."""
SEVERAL_ACCOUNTS = frozenset({"several_accounts", "account_candidates"})
"""Causes of a referral whose customer fits more than one account."""
SHOWN = 5
"""So many accounts are named."""


def with_parent(ctx: Context, cause: Cause, opportunity_id: str) -> Cause:
    """The cause of a held opportunity, whose remedy names the record to complete and the value that it has now."""
    found = _OF_PARENT.fullmatch(cause.field or "")
    if found is None:
        return cause
    parent, column = found["parent"], found["column"]
    items = ", ".join(dict.fromkeys((f"{parent}.Id", f"{parent}.Name", f"{parent}.{column}")))
    soql = f"SELECT {items} FROM Opportunity WHERE Id = {text_literal(opportunity_id)}"  # noqa: S608 - names match the pattern, the id is a literal
    records = [record for page in ctx.salesforce.query(soql).pages for record in page.records]
    record = records[0].get(parent) if records else None
    if not isinstance(record, dict):
        return cause
    value = record.get(column)
    named = f"{parent} {record.get('Name') or 'without a name'} ({record.get('Id')})"
    return _with_sentence(cause, f"It is about the {named}, whose {column} is {value or 'empty'}.")


def with_accounts(ctx: Context, cause: Cause, referral: Deal) -> Cause:
    """The cause of a referral whose customer fits several accounts, with the ids of those that have its name."""
    customer = referral.get("account")
    if cause.code not in SEVERAL_ACCOUNTS or not isinstance(customer, Company):
        return cause
    soql = f"SELECT Id FROM Account WHERE Name = {text_literal(customer.name)} ORDER BY Id LIMIT {SHOWN}"  # noqa: S608 - a literal
    ids = [str(record["Id"]) for page in ctx.salesforce.query(soql).pages for record in page.records]
    return _with_sentence(cause, f"Accounts with exactly this name: {', '.join(ids)}.") if ids else cause


def _with_sentence(cause: Cause, sentence: str) -> Cause:
    return replace(cause, remedy=f"{cause.remedy} {sentence}".strip())
