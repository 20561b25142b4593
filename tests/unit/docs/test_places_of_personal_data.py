"""docs/security.md names every kind of row that holds values of a person, and every other place."""

from shared.domain.audit import Line
from shared.domain.link_states import State
from shared.store.link_store import LinkStore
from shared.store.row_codec import unpack
from shared.store.sqlite_rows import SqliteRows
from tests.unit.docs.docs_reader import section_text, table_cells
from tests.unit.store.representative_store import NOW, fill_store, whole_link

KINDS = {("O", "link"): "link rows", ("O", "a"): "audit lines", ("R", "pointer"): "referral rows"}
"""The lines of the page for kinds of rows, by the starts of partition and key."""
HASHED = {("A", "claim"): "account claims"}
"""The same of a kind that holds a hash of a person's value."""
ELSEWHERE = {
    *("copies of the store", "Salesforce", "Partner Center", "queue, poison queue", "Key Vault", "log"),
    *("package container", "browser", "operator's `.cosell`"),
}


def test_every_kind_of_row_with_values_of_a_person_is_named() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        fill_store(store)
        line = Line(NOW, "changed", None, None, "contacts", "Ann Lee", "Northwind")
        store.insert_link(whole_link("006AA00000000077", State.CLOSED), [line])
        found = rows._connection.execute("SELECT partition, key, data FROM rows").fetchall()
    named = {
        (partition.partition("|")[0], key.partition("|")[0])
        for partition, key, data in found
        if any(text in str(unpack(data)) for text in ("Northwind", "Lee", "ann@"))
    }
    assert named == set(KINDS), "each kind has its line in docs/security.md"


def test_the_page_has_a_line_for_each_place() -> None:
    lines = table_cells(section_text("security.md", "Data kept"))
    assert {*KINDS.values(), *HASHED.values(), *ELSEWHERE} <= {line[0].strip() for line in lines}
