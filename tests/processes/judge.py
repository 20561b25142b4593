"""Judges the raw records of both emulators: nothing lost, nothing doubled. It uses no code of the connector."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulators.partner_center.emulator import ORGANIZATION
from local.compare import list_differences
from local.systems import Systems
from tests.processes.people import Edit, People

SAME_FIELD = {"dealValue": "Amount", "closingDateTime": "CloseDate"}
Record = Mapping[str, Any]


def judge(people: People) -> list[str]:
    """One sentence for each broken promise."""
    opportunities = _by(people.systems.salesforce.records("Opportunity"), "Id")
    referrals = _by(people.systems.partner_center.referrals(ORGANIZATION), "id")
    findings = [*_judge_pairs(people, opportunities, referrals), *_judge_accounts(people.systems)]
    if findings:
        return findings  # what follows needs whole pairs
    for opportunity in opportunities.values():
        findings += _judge_values(opportunity, referrals[opportunity["Referral_Identifier__c"]])
        findings += _judge_audit(opportunity)
    return [*findings, *_judge_edits(people.edits, opportunities), *_judge_people(people.systems)]


def _judge_pairs(people: People, opportunities: Mapping[str, Record], referrals: Mapping[str, Record]) -> list[str]:
    """Each deal of a seller has one referral, each of Microsoft's one opportunity, and there is nothing else."""
    by_reference = Counter(referral["externalReferenceId"] for referral in referrals.values())
    by_identifier = Counter(record["Referral_Identifier__c"] for record in opportunities.values())
    findings = [f"{key} has {by_reference[key]} referrals" for key in people.opportunities if by_reference[key] != 1]
    findings += [f"{key} has {by_identifier[key]} opportunities" for key in referrals if by_identifier[key] != 1]
    if not len(opportunities) == len(referrals) == len(people.opportunities) + len(people.referrals):
        findings.append(f"there are {len(opportunities)} opportunities and {len(referrals)} referrals")
    return findings


def _judge_accounts(systems: Systems) -> list[str]:
    names = Counter(account["Name"] for account in systems.salesforce.records("Account"))
    return [f"the account {name} exists {number} times" for name, number in names.items() if number > 1]


def _judge_people(systems: Systems) -> list[str]:
    """No contact and no contact role exists twice."""
    roles = systems.salesforce.records("OpportunityContactRole")
    contacts = Counter((one["AccountId"], one["Email"]) for one in systems.salesforce.records("Contact"))
    twice = Counter((role["OpportunityId"], role["ContactId"]) for role in roles)
    return [f"{key} exists {number} times" for key, number in (contacts + twice).items() if number > 1]


def _judge_values(opportunity: Record, referral: Record) -> list[str]:
    differences = list_differences(opportunity, referral)
    solutions = {part.strip() for part in str(opportunity["Products__c"] or "").split(";")}
    if solutions != {one["id"] for one in referral["details"]["requirements"]["solutions"]}:
        differences.append("solutions")
    if opportunity["Sync_Status__c"] not in ("Synced", "Waiting"):
        differences.append(f"status {opportunity['Sync_Status__c']}")
    return [f"{opportunity['Name']} ({opportunity['Id']}): {difference}" for difference in differences]


def _judge_audit(opportunity: Record) -> list[str]:
    """Each line stands in the audit once."""
    lines = Counter(line for line in str(opportunity["Audit__c"] or "").splitlines() if line.strip())
    return [
        f"{opportunity['Id']}: the audit has {number} times: {line}" for line, number in lines.items() if number > 1
    ]


def _judge_edits(edits: Sequence[Edit], opportunities: Mapping[str, Record]) -> list[str]:
    """The last value of each field is what the deal holds now, or the audit shows that it lost to another.

    It need not look at the referrals: by _judge_values they hold the same.
    """
    keys = {record["Referral_Identifier__c"]: key for key, record in opportunities.items()}
    last = {(keys.get(edit.deal, edit.deal), SAME_FIELD.get(edit.field, edit.field)): edit for edit in edits}
    return [
        f"{key}: {edit.field} {edit.value!r}, entered in {edit.side}, is lost"
        for (key, name), edit in last.items()
        if not _is_found(opportunities[key], name, str(edit.value).removesuffix("T00:00:00Z"))
    ]


def _is_found(opportunity: Record, name: str, value: str) -> bool:
    held = re.sub(r"\.0$", "", str(opportunity[name]))
    audit = str(opportunity["Audit__c"] or "").replace(",", "")
    return held == value or re.search(rf"\b{re.escape(value)}\b", audit) is not None


def _by(records: Iterable[Record], key: str) -> dict[str, Record]:
    return {str(record[key]): record for record in records}
