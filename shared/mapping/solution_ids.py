"""The documented forms of a solution id (docs/reference/partner-center.md#solutions)."""

import re

_PREDEFINED = """
AdvancedAnalytics ApplicationIntegration ArtificialIntelligence AzureSecurityOperationManagement AzureStack
BackupDisasterRecovery BigData Blockchain Chatbot CloudDatabaseMigration CloudMigration CloudVoice
CognitiveServices CompetitiveDatabaseMigration Containers DataWarehouse DatabaseonLinux DevOps
DevelopmentandTest DigitalMedia Dynamics365forCustomerService Dynamics365forFieldService
Dynamics365forFinanceOperations Dynamics365forRetail Dynamics365forSales Dynamics365forTalent
DynamicsonAzure EnterpriseBusinessIntelligence Gaming HighPerformanceComputing HybridStorage
IdentityandAccessManagement InformationManagement InternetofThings MachineLearning
Microserviceapplications MobileApplications MySQLPostgresMigrationtoAzure Networking NoSQLMigration
RedhatonAzure RegulatoryComplianceGDPR SAPonAzure SQLServerUpgrade ServerlessComputing
SharepointonAzure ThreatProtection WebDevelopment
"""
PREDEFINED_NAMES = {name.casefold(): name for name in _PREDEFINED.split()}
"""The ids of the solution type `Category`, by their case-folded form."""

_SEPARATORS = re.compile(r"[,;\s]+")
_PARTNER_SOLUTION = re.compile(r"SOL-[0-9]+(?:-[0-9A-Z]+)?", re.IGNORECASE | re.ASCII)
"""No source limits the digits, or says that every id has the last part, so an id without it is accepted."""
_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE | re.ASCII)


def split_ids(text: str) -> tuple[str, ...]:
    """Return the parts of a list that a person typed: comma, semicolon, blank and new line separate."""
    return tuple(part for part in _SEPARATORS.split(text) if part)


def can_be_listed(solution_id: str) -> bool:
    """Whether an id can stand in a list and be read back whole, because it holds no separator."""
    return split_ids(solution_id) == (solution_id,)


def spell_id(part: str) -> str | None:
    """Return the id in the spelling of the service, or None if it has no documented form."""
    if _PARTNER_SOLUTION.fullmatch(part):
        return part.upper()
    if _GUID.fullmatch(part):
        return part.lower()
    return PREDEFINED_NAMES.get(part.casefold())


def is_partner_solution(solution_id: str) -> bool:
    """Whether an id has the form of a partner's own solution."""
    return _PARTNER_SOLUTION.fullmatch(solution_id) is not None


def solution_type(solution_id: str) -> str:
    """Return the type that a solution with this id is sent with."""
    return "Category" if solution_id.casefold() in PREDEFINED_NAMES else "Name"
