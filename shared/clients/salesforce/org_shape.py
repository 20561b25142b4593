"""Ask the org for its currencies and its columns, at most once an hour, and keep the answer for all instances.

The kind of an org decides whether a query may name `CurrencyIsoCode`, and what an amount means
(docs/reference/salesforce.md#currencies). App and package are deployed apart, so the org can lack columns and values
that the app uses, and one write that names such a column fails whole. Nobody must tell the sync of a change: an hour
later it knows. Source: docs/protocol.md#what-the-org-has.
"""

import re
from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.salesforce.offered_values import Connected, offered_values
from shared.clients.salesforce.org_addresses import addresses_in
from shared.clients.salesforce.org_columns import (
    WITH_RECORD_TYPES,
    Descriptions,
    active_values,
    columns_at,
    describe_paths,
    fields_of,
    record_types_in,
    required_columns,
)
from shared.clients.salesforce.records import Answer, Json
from shared.clients.salesforce.soql_literals import text_literal
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_addresses import OrgAddresses
from shared.domain.org_shape import OrgQuestion, OrgShape, RecordType
from shared.domain.outdated_org import ASK_SOON
from shared.foundation.errors import CosellError, NotFound, Rejected
from shared.foundation.logs import log

ASK_AGAIN = timedelta(hours=1)
OPPORTUNITY, ACCOUNT = "Opportunity", "Account"
CURRENCY_COLUMN = "currencyisocode"
PERSON_COLUMN = "ispersonaccount"
_TEAM = "opportunityteammember.userid"
VERSION_COLUMN = "Cosell_Package_Version__c"
"""The column whose formula is the version of the package; its help text in English begins with the same version.

`describe` shows both to every user who sees the column (docs/salesforce-package.md#the-version-of-the-package).
"""
AMOUNT_ROLES = ("partner_center_amount", "partner_center_currency")
_READ_ONLY_ROLES = frozenset({"reason", "reason_details", "consents"})
"""The roles of our columns that the sync only reads."""
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class Org(Connected, Protocol):
    """The calls of the client that the questions need."""

    @property
    def met_unknown_column(self) -> bool:
        """Whether Salesforce has refused a call for a column."""

    def forget_unknown_column(self) -> None:
        """Begin again."""

    def describe_together(self, *sobjects: str) -> Descriptions:
        """The descriptions of objects as the integration user sees them, in one call."""

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of up to five queries."""

    def user_id(self) -> str:
        """The id of the integration user."""


class Memory(Protocol):
    """Where the answer is kept."""

    def org_shape(self) -> tuple[OrgShape, datetime] | None:
        """The last answer and its time; None before the first, and for one that this build cannot read."""

    def keep_org_shape(self, shape: OrgShape, at: datetime) -> None:
        """Keep an answer for all instances."""


def known_shape(
    org: Org, memory: Memory, question: OrgQuestion, now: Callable[[], datetime], version: str
) -> tuple[OrgShape, datetime]:
    """Return the org's shape, and when to ask again.

    If the org cannot be asked again, the former answer holds for another hour. Raises the client's errors if there is
    no former answer. A new answer is logged if the package lacks something, or has another version than the app.
    """
    known, at = memory.org_shape(), now()
    lasts = ASK_SOON if org.met_unknown_column else ASK_AGAIN
    if known is not None and known[1] <= at < known[1] + lasts and question.keys <= known[0].asked:
        return known[0], known[1] + lasts
    org.forget_unknown_column()
    try:
        shape = ask_shape(org, question)
    except CosellError:
        if known is None:
            raise
        return known[0], at + ASK_AGAIN
    org.forget_unknown_column()  # asking meets what the org lacks
    if known is not None and shape.addresses == OrgAddresses():
        shape = replace(shape, addresses=replace(shape.addresses, spelling=known[0].addresses.spelling))
    if known is not None:
        shape = replace(shape, teams=teams_since(known[0], shape, at))
    memory.keep_org_shape(shape, at)
    if (known is None or shape != known[0]) and (shape.missing or shape.package != version):
        log("package_differs", package=shape.package, missing=shape.missing)
    return shape, at + ASK_AGAIN


def teams_since(before: OrgShape, shape: OrgShape, at: datetime) -> str:
    """When opportunity teams were found again. Without them the org has deleted their members, which nobody removed."""
    is_new = shape.has(_TEAM) and _TEAM in before.asked and not before.has(_TEAM)
    return f"{at:%Y%m%d%H%M}" if is_new else before.teams


def ask_shape(org: Org, question: OrgQuestion) -> OrgShape:
    """Return the org's answer: two calls in an org with several currencies, else four. Raises the client's errors.

    One less where countries are picklists. One more where accounts can be people, where a mapped column belongs to a
    further object, for a notification, and for the stages of a record type.
    """
    return shape_in(org, org.describe_together, question)


def shape_in(org: Org, describe: Callable[..., Descriptions], question: OrgQuestion) -> OrgShape:
    """Return the answer that the descriptions hold. Raises the client's errors, and NotFound without opportunities."""
    known, ours = describe_paths(describe, question.paths), question.ours
    if OPPORTUNITY not in known:
        raise NotFound(f"Salesforce refused a description: the user may not see {OPPORTUNITY}")
    fields, account = fields_of(known[OPPORTUNITY]), fields_of(known.get(ACCOUNT))
    found = {role: fields.get(name.casefold()) for role, name in ours.items()}
    has_amount_fields = all((found[role] or {}).get("updateable") for role in AMOUNT_ROLES)
    shape = OrgShape(
        _currencies(org, fields.get(CURRENCY_COLUMN), has_amount_fields=has_amount_fields),
        _values(found.get("status")),
        frozenset(ours[role] for role, field in found.items() if field is None),
        frozenset(ours[role] for role, field in found.items() if field and not _is_usable(role, field)),
        _version(fields.get(VERSION_COLUMN.casefold()) or {}),
        question.keys,
        columns_at(question.paths, known),
        "billingcountrycode" in account,
        PERSON_COLUMN in account,
        _record_types(org, known, has_persons=PERSON_COLUMN in account),
        addresses_in(account, question, org.query, org.user_id),
        _notifications(org, question.notification),
        required_columns(known),
        user_id=org.user_id(),
    )
    chosen = shape.record_type(OPPORTUNITY, question.record_type)
    if chosen is None:
        return shape
    return replace(shape, stages=offered_values(org, OPPORTUNITY, chosen.id, question.stage))


def _notifications(org: Org, name: str) -> dict[str, str | None]:
    """Return the id of the notification type with this name, if one is asked for; None if the org lacks it."""
    soql = f"SELECT Id FROM CustomNotificationType WHERE DeveloperName = {text_literal(name)}"  # noqa: S608 - a literal
    return {name: next(iter(_values_of(org, soql) or ()), None)} if name else {}


def _record_types(org: Org, known: Descriptions, *, has_persons: bool) -> dict[str, tuple[RecordType, ...]]:
    soql = "SELECT Id FROM RecordType WHERE SobjectType = 'Account' AND IsPersonType = true"
    persons = _values_of(org, soql) if has_persons else None
    return {name: record_types_in(known.get(name), persons or ()) for name in WITH_RECORD_TYPES}


def _version(column: Json) -> str | None:
    """Return the version of the package. Should `describe` hide the formula from a user, the help text has it."""
    texts = (str(column.get(name) or "") for name in ("calculatedFormula", "inlineHelpText"))
    return next((found[0] for text in texts if (found := _VERSION.search(text))), None)


def _is_usable(role: str, field: Json) -> bool:
    return role in _READ_ONLY_ROLES or bool(field.get("createable") and field.get("updateable"))


def _values(status: Json | None) -> frozenset[str] | None:
    """Return the values that the status column takes; None if it takes any text."""
    return frozenset(active_values(status)) if status and status.get("restrictedPicklist") else None


def _currencies(org: Org, column: Json | None, *, has_amount_fields: bool) -> OrgCurrencies:
    if column is not None and (codes := frozenset(active_values(column))):
        return OrgCurrencies(has_several=True, codes=codes, has_amount_fields=has_amount_fields)
    if (several := _values_of(org, "SELECT IsoCode FROM CurrencyType WHERE IsActive = true")) is not None:
        # The column is hidden from the user. The queries that name it will say so.
        return OrgCurrencies(has_several=True, codes=several, has_amount_fields=has_amount_fields)
    if column is not None:
        return OrgCurrencies(has_several=True, has_amount_fields=has_amount_fields)
    only = _values_of(org, "SELECT DefaultCurrencyIsoCode FROM Organization")
    return OrgCurrencies(has_several=False, codes=only or frozenset(), has_amount_fields=has_amount_fields)


def _values_of(org: Org, soql: str) -> frozenset[str] | None:
    """Return the values of the one selected column; None if the org does not have the column or the object."""
    try:
        records = org.query(soql).pages[0].records
    except Rejected:
        return None
    found = (value for record in records for name, value in record.items() if name != "attributes")
    return frozenset(str(value) for value in found if value)
