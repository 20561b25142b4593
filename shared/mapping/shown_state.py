"""The columns of an opportunity that show the state of the sync, as far as the org has them."""

from collections.abc import Mapping
from typing import Any

from shared.domain.link_states import Mark
from shared.domain.org_shape import MARKS, OrgShape
from shared.mapping.schema import Ours

NEWS_LENGTHS: Mapping[str, int] = {
    "microsoft_status": 40,
    "microsoft_crm_identifier": 100,
    "microsoft_seller": 255,
    "microsoft_notes": 32_000,
    "microsoft_answer_by": 40,
    "help": 255,
    "notes_to_microsoft": 32_000,
}
"""The columns of Microsoft's news, and of what a colleague asked, by their keys in the mapping file.

Each with the characters that it holds.
"""


class ShownState:
    """Gives the values of our own columns. It leaves out a column that the org lacks (docs/salesforce-package.md)."""

    def __init__(self, ours: Ours, link: str, org: OrgShape | None) -> None:
        """`link` is the address of a referral's page, with `{id}` in it; `org` is None before the org was asked."""
        statuses = MARKS if org is None or org.statuses is None else org.statuses
        # An org with an earlier package lacks this value. The audit names the differences there, too.
        shown = {mark: Mark.SYNCED if mark is Mark.DIFFERENCES and mark not in statuses else mark for mark in Mark}
        audit, status, address = (
            (None if org and org.is_unusable(each) else each) for each in (ours.audit, ours.status, ours.link)
        )
        self._status = {
            mark: {status: str(value)} if status and value in statuses else {} for mark, value in shown.items()
        }
        self._unmarked = {status: None} if status else {}
        self._audit, self._link = audit, address
        self._identifier, self._address = ours.identifier, link
        columns = {name: getattr(ours, name) for name in NEWS_LENGTHS}
        self.news = {name: column for name, column in columns.items() if not (org and org.is_unusable(column))}

    def values(self, mark: Mark | None, audit: str, referral_id: str | None) -> dict[str, Any]:
        """Return the values by column; `referral_id` is None where the record names its referral already.

        Without a mark, the status is emptied.
        """
        shown: dict[str, Any] = dict(self._status[mark] if mark else self._unmarked)
        if self._audit:
            shown[self._audit] = audit
        if referral_id is not None:
            shown[self._identifier] = referral_id
            if self._link:
                shown[self._link] = self._address.format(id=referral_id)
        return shown

    def news_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the values by column of Microsoft's news; an empty text clears its column."""
        return {
            column: texts[name][: NEWS_LENGTHS[name]] or None for name, column in self.news.items() if name in texts
        }
