"""The fields of an opportunity that say what Microsoft is to see and to do (docs/protocol.md#the-type-of-a-deal)."""

from shared.domain.sharing import Sharing
from shared.mapping.paths import Json
from shared.mapping.schema import Ours


def sharing_in(record: Json, ours: Ours) -> Sharing:
    """Return what the fields for Microsoft say in a record. A field that the record lacks is unknown."""
    visible, consents = record.get(ours.visible), record.get(ours.consents)
    return Sharing(
        bool(visible) if ours.visible in record else None,
        str(record.get(ours.help) or "").strip(),
        str(record.get(ours.notes_to_microsoft) or "").strip(),
        bool(consents) if ours.consents in record else None,
    )
