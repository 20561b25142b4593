"""Define what the field types of lists share: a list is merged member by member, and sent the same way.

Additions are appended. A removal replaces the whole list, because JSON Patch of the service removes nothing: the new
list is built from the members that were read last, so that what we do not map survives.

Source: docs/protocol.md#lists-merge-as-sets, docs/reference/partner-center.md#patch-paths.
"""

from collections.abc import Sequence
from copy import replace
from typing import Any, override

from shared.domain.deal import Value
from shared.domain.field_rules import Rule
from shared.domain.member_sets import Member, Members, members_of, needs_replacement
from shared.mapping.field_base import FieldBase, ReferralPath
from shared.mapping.paths import Json, in_referral, replace_operation


class SetField(FieldBase):
    """A list of a referral, whose members have keys (`shared.domain.member_sets.key_of`)."""

    referral: ReferralPath

    @override
    def to_rule(self, name: str) -> Rule:
        in_rows = self.related_list is not None
        return replace(super().to_rule(name), is_set="update" in self.when, in_rows=in_rows)

    def tag_of(self, member: Any) -> Json:  # noqa: ANN401 - each type has its own kind of member
        """Return a member as Partner Center gets it."""
        raise NotImplementedError

    def key_of_tag(self, tag: Json) -> str:
        """Return the key of a member that Partner Center has; empty if it has none."""
        raise NotImplementedError

    def set_operations(self, value: Value | None, old: Value | None, referral: Json | None) -> list[Json]:
        """Return the JSON Patch operations that turn the list `old` into `value`; `referral` is as it was last read."""
        after, before = members_of(value), members_of(old)
        added = [after[key] for key in after if key not in before]
        if not needs_replacement(value, old):
            return [{"op": "add", "path": f"{self.referral}/-", "value": self.tag_of(one)} for one in added]
        tags = [tag for tag in in_referral(referral or {}, self.referral) or () if isinstance(tag, dict)]
        return [replace_operation(self.referral, [*self._kept(tags, after, before), *map(self.tag_of, added)])]

    def _kept(self, tags: Sequence[Json], after: Members, before: Members) -> list[Json]:
        """Return the members that stay, each with what we do not map, and our words where they are new."""
        kept = [(tag, self.key_of_tag(tag)) for tag in tags]
        stay = [(tag, key) for tag, key in kept if key not in before or key in after]
        return [self._renewed(tag, before.get(key), after.get(key)) for tag, key in stay]

    def _renewed(self, tag: Json, before: Member | None, after: Member | None) -> Json:
        if before is None or after is None or before == after:
            return tag
        return {**tag, **self.tag_of(after)}
