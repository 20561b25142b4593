"""Whether an environment may use a Salesforce organisation: production no sandbox, the others no production org. Pure.

Source: docs/protocol.md#the-organisation-of-an-environment.
"""

from urllib.parse import urlsplit

from msgspec import Struct

from shared.domain.scope import long_id

_DOMAIN = "my.salesforce.com"
_PARTITIONS = frozenset({"sandbox", "scratch", "develop", "trailblaze", "demo", "free", "patch"})
"""The label before `my.salesforce.com` in the address of an org that is no production org."""
_SANDBOXES = frozenset({"sandbox", "scratch"})
_NO_PRODUCTION = frozenset({"developer edition"})
SANDBOX, PRODUCTION_ORG, OTHER_ORGANIZATION, OTHER_STORE = (
    "sandbox", "production_org", "other_organization", "other_store",
)  # fmt: skip


class Organization(Struct, frozen=True):
    """An organisation as its own record describes it.

    `is_sandbox` and `edition` are None where Salesforce did not show them: the address says then what kind it is.
    `is_trial` says that it has a date on which it ends.
    """

    id: str
    is_sandbox: bool | None = None
    edition: str | None = None
    is_trial: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether this stays true: a trial can become a production org, and nothing else changes its kind."""
        return self.is_sandbox is not None and not self.is_trial


class OwnOrganization(Struct, frozen=True):
    """What the settings say: the environment's tag (None in production), the org's address and its id, if it is set."""

    tag: str | None
    url: str
    organization_id: str | None = None


class WrongOrganization(Struct, frozen=True):
    """Why an environment must not use an organisation: the reason as a code for the log, and what to do."""

    reason: str
    text: str


def wrong_organization(own: OwnOrganization, found: Organization) -> WrongOrganization | None:
    """Why this environment must not use the organisation; None if it may."""
    if own.organization_id and long_id(own.organization_id) != found.id:
        return WrongOrganization(
            OTHER_ORGANIZATION,
            f"SALESFORCE_ORGANIZATION_ID: it names the organisation {own.organization_id}, but SALESFORCE_URL leads to "
            f"{found.id}. Nothing is written. Correct one of the two.",
        )
    if own.tag is None and _is_sandbox(own, found):
        return WrongOrganization(
            SANDBOX,
            f"ENVIRONMENT: this is production, but the organisation {found.id} is a sandbox. Nothing is written. Set "
            "SALESFORCE_URL to the production org, or give the sandbox an environment of its own, such as staging.",
        )
    if own.tag is not None and not own.organization_id and _is_production_org(own, found):
        return WrongOrganization(
            PRODUCTION_ORG,
            f"ENVIRONMENT: this is {own.tag}, but the organisation {found.id} is a production org. Nothing is written. "
            f"Set SALESFORCE_URL to a sandbox; or set SALESFORCE_ORGANIZATION_ID={found.id} if this org is meant.",
        )
    return None


def other_store(owner: str, found: str) -> WrongOrganization:
    """Why a store must not be used with an organisation: it belongs to another one."""
    return WrongOrganization(
        OTHER_STORE,
        f"STORE: the store belongs to the Salesforce organisation {owner}, but SALESFORCE_URL leads to {found}. Give "
        "this environment a store of its own.",
    )


def _is_sandbox(own: OwnOrganization, found: Organization) -> bool:
    return bool(found.is_sandbox) or bool(_partitions(own.url) & _SANDBOXES)


def _is_production_org(own: OwnOrganization, found: Organization) -> bool:
    """Whether this is an org that a company works in: no sandbox, no trial, and not for developers."""
    if _partitions(own.url) & _PARTITIONS or found.is_sandbox or found.is_trial:
        return False
    return (found.edition or "").casefold() not in _NO_PRODUCTION


def _partitions(url: str) -> frozenset[str]:
    """The labels of the address between the org's own name and Salesforce's domain."""
    name, _, rest = (urlsplit(url).hostname or "").lower().partition(".")
    return frozenset(rest.removesuffix(_DOMAIN).split(".")) if name and rest.endswith(_DOMAIN) else frozenset()
