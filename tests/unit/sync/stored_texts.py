"""Everything that the rows of a store say: partitions, keys and the data of every row, decompressed."""

import json
from collections.abc import Iterable

from shared.domain.deal import fingerprint
from shared.store.row_codec import unpack
from tests.unit.sync.harness import Harness


def all_rows(harness: Harness) -> list[tuple[str, str, bytes]]:
    """Partition, key and data of every row, whatever its kind."""
    return list(harness.rows._connection.execute("SELECT partition, key, data FROM rows ORDER BY partition, key"))


def stored_text(harness: Harness) -> str:
    """The text of all rows, without letter case."""
    rows = all_rows(harness)
    texts = (f"{partition} {key} {json.dumps(unpack(data), ensure_ascii=False)}" for partition, key, data in rows)
    return "\n".join(texts).casefold()


def found_in_rows(harness: Harness, values: Iterable[str], *, as_marks: bool = True) -> list[str]:
    """Those of the values that any row holds, in any letter case, as they are or, `as_marks`, as a fingerprint."""
    text = stored_text(harness)
    return [one for one in values if one.casefold() in text or (as_marks and fingerprint(one) in text)]
