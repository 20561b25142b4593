"""What a Salesforce org has of the connector's package, whose version can be another one than the app's.

And what it has of the mapped columns, and which features that change its columns.
Source: docs/salesforce-package.md#another-version-than-the-apps and docs/protocol.md#what-the-org-has.
"""

from collections.abc import Mapping

from msgspec import Struct

from shared.domain.currencies import OrgCurrencies
from shared.domain.link_states import Mark
from shared.domain.org_addresses import OrgAddresses

MARKS = frozenset(map(str, Mark))


class OrgQuestion(Struct, frozen=True):
    """What the org is asked about: our columns by their roles in the mapping file, and the paths of mapped columns.

    A path begins at the opportunity, such as `Amount` or `Account.BillingCity`; `Contact.Email` is a contact's. Or it
    begins with the name of another object, such as `OpportunityTeamMember.UserId` or
    `Cosell_Deal_Solution__c.Solution__r.Active__c`; an org without that object does not have the column.
    `country` and `state` are the columns of the account that hold them.
    `notification` is the notification type that the sync sends; empty if it sends none. `record_type` is the one of new
    opportunities, of whose `stage` column the values are asked; empty for the user's default.
    """

    ours: Mapping[str, str]
    paths: frozenset[str] = frozenset()
    country: str = ""
    state: str = ""
    notification: str = ""
    record_type: str = ""
    stage: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """Paths, notification type and record type as an answer names them: the org ignores the letter case."""
        codes = (f"Account.{column}" for column in (self.country_code, self.state_code) if column)
        return frozenset(key.casefold() for key in (*self.paths, *codes, self.notification, self.record_type) if key)

    @property
    def country_code(self) -> str:
        """The column of the country's code, where the org has picklists."""
        return code_column(self.country)

    @property
    def state_code(self) -> str:
        """The column of the state's code, where the org has picklists."""
        return code_column(self.state)


def code_column(column: str) -> str:
    """Return the column that an org with picklists has beside a column of an address: BillingCountryCode, for example.

    It is the column itself, if the mapping file names the code already.
    """
    return column if not column or column.casefold().endswith("code") else f"{column}Code"


class Column(Struct, frozen=True, array_like=True):
    """A column that the integration user sees: its path as the org spells it, and its rights and kind."""

    path: str
    createable: bool = True
    updateable: bool = True
    is_number: bool = False


class RecordType(Struct, frozen=True, array_like=True):
    """An active record type that the integration user may give to a record; `is_person` makes a person account."""

    name: str
    id: str
    is_default: bool = False
    is_person: bool = False


class OrgShape(Struct, frozen=True):
    """What an org answers about its currencies, our own columns, the mapped columns, and its features.

    statuses   the values that the status column takes; None: any text
    hidden     our columns that do not exist, or that the integration user may not see
    read_only  our columns that the integration user may not write
    package    the version of the package; None: a package without version, or a version that the user may not see
    asked      the paths that the org was asked about, in lower case
    columns    those of them that the integration user sees
    has_address_picklists   whether countries and states are picklists, so that their codes have columns
    has_person_accounts     whether an account can be a person
    record_types            the record types by object: `Opportunity` and `Account`
    addresses               how accounts write countries and states
    notifications           the ids of the notification types that were asked for, by name
    user_id                 the id of the connector's own user; empty if an earlier build asked
    stages                  the stages of the record type of new opportunities; None if the mapping file names none
    required                by path in lower case, an example of a value for each custom column that must not be empty
    teams                   when opportunity teams were found again; empty while the org has never been without them
    """

    currencies: OrgCurrencies
    statuses: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    package: str | None = None
    asked: frozenset[str] = frozenset()
    columns: Mapping[str, Column] = {}
    has_address_picklists: bool = False
    has_person_accounts: bool = False
    record_types: Mapping[str, tuple[RecordType, ...]] = {}
    addresses: OrgAddresses = OrgAddresses()
    notifications: Mapping[str, str | None] = {}
    required: Mapping[str, str | bool | float] = {}
    stages: frozenset[str] | None = None
    user_id: str = ""
    teams: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What the org lacks of what the app uses: columns, marks, which the status takes, and notification types."""
        lacking = () if self.statuses is None else MARKS - self.statuses
        unknown = (name for name, found in self.notifications.items() if found is None)
        return (*sorted(self.hidden | self.read_only), *sorted(lacking), *sorted(unknown))

    def hides(self, column: str) -> bool:
        """Whether one of our columns is hidden, in any letter case."""
        return column.casefold() in {name.casefold() for name in self.hidden}

    def is_unusable(self, column: str) -> bool:
        """Whether one of our columns is hidden or cannot be written, in any letter case."""
        return column.casefold() in {name.casefold() for name in self.hidden | self.read_only}

    def column(self, path: str) -> Column | None:
        """Return the column at a path; None if the user does not see it. A path that was not asked counts as seen."""
        key = path.casefold()
        return self.columns.get(key) or (None if key in self.asked else Column(path))

    def has(self, *paths: str) -> bool:
        """Whether the org has the columns at all these paths; one that was not asked counts as absent."""
        return all(path.casefold() in self.columns for path in paths)

    def record_type(self, sobject: str, name: str) -> RecordType | None:
        """Return the record type of an object with this developer name, in any letter case."""
        known = self.record_types.get(sobject, ())
        return next((each for each in known if each.name.casefold() == name.casefold()), None)
