"""What a Salesforce org has of the connector's package, whose version can be another one than the app's.

Source: docs/salesforce-package.md#another-version-than-the-apps.
"""

from msgspec import Struct

from shared.domain.currencies import OrgCurrencies
from shared.domain.link_states import Mark

MARKS = frozenset(map(str, Mark))


class OrgShape(Struct, frozen=True):
    """What an org answers about its currencies and about our own columns.

    statuses   the values that the status column takes; None: any text
    hidden     our columns that do not exist, or that the integration user may not see
    read_only  our columns that the integration user may not write
    package    the version of the package; None: a package without version, or a version that the user may not see
    """

    currencies: OrgCurrencies
    statuses: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    package: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """What the org lacks of what the app uses: columns, and marks that are no value of the status."""
        lacking = () if self.statuses is None else MARKS - self.statuses
        return (*sorted(self.hidden | self.read_only), *sorted(lacking))
