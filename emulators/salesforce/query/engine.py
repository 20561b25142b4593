"""Queries: compile a tree against the org, find the rows, sort them, and shape them as the service does."""

from collections.abc import Callable, Iterable
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.query.conditions import Where, candidates, indexed, no_such_type
from emulators.salesforce.query.literals import folding
from emulators.salesforce.query.paths import no_column, parent_row, reach, reader, step
from emulators.salesforce.query.soql import Path, Select, error, parse

type Shape = Callable[[Record], Record]
type Source = Callable[[Record], Iterable[Record]]

MAX_OFFSET = 2_000


class Queries:
    """Runs queries. `version` goes into the address of each record."""

    def __init__(self, org: Org, version: str, *, deleted: bool = False) -> None:
        """`deleted` includes the recycle bin (queryAll)."""
        self._org = org
        self._version = version
        self._deleted = deleted

    def run(self, text: str) -> tuple[list[Record], int]:
        """The records of a query and their number; COUNT() gives the number alone. Raises ApiError."""
        select = parse(text)
        sobject = self._org.model.find(select.sobject)
        if sobject is None:
            raise no_such_type(select.sobject)
        # Shaped before the rows are found: a wrong field is an error even where nothing matches.
        shape = self.shape(sobject, select) if select.items else None
        rows = self._rows(sobject, select)
        return ([shape(row) for row in rows] if shape else []), len(rows)

    # --- rows

    def _rows(self, sobject: SObject, select: Select, source: Iterable[Record] | None = None) -> list[Record]:
        where = Where(self._org, sobject, select.text, self._column)
        test = where.compile(select.where)
        if source is None:
            source = None if self._deleted else indexed(self._org, sobject, where.narrow)
            source = source or candidates(self._org, sobject, where.narrow)
        matching = [row for row in source if (self._deleted or not row["IsDeleted"]) and test(row)]
        return self._cut(self._sorted(sobject, select, matching), select)

    def _column(self, inner: Select) -> list[Any]:
        """The values of a semi-join's only column."""
        sobject, column = self._org.model.get(inner.sobject), inner.items[0]
        if not isinstance(column, Path):
            return []
        get = reach(self._org, sobject, column, inner.text).get
        return [get(row) for row in self._rows(sobject, inner)]

    def _sorted(self, sobject: SObject, select: Select, rows: list[Record]) -> list[Record]:
        for order in reversed(select.order):
            reached = reach(self._org, sobject, order.path, select.text)
            if reached.field.long:
                message = f"field '{reached.field.name}' can not be sorted in a query call"
                raise ApiError(400, "INVALID_FIELD", message)
            fold, get = folding(reached.field), reached.get
            keyed = [(fold(get(row)), row) for row in rows]
            empty = [row for key, row in keyed if key is None]
            full = sorted((pair for pair in keyed if pair[0] is not None), key=_key, reverse=order.descending)
            present = [row for _, row in full]
            rows = present + empty if order.nulls_last else empty + present
        return rows

    @staticmethod
    def _cut(rows: list[Record], select: Select) -> list[Record]:
        if select.offset > MAX_OFFSET:
            message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        end = None if select.limit is None else select.offset + select.limit
        return rows[select.offset : end]

    # --- shapes

    def shape(self, sobject: SObject, select: Select) -> Shape:
        """A function from a row to its JSON: own fields, parents nested, children as subquery results."""
        paths = [item for item in select.items if isinstance(item, Path)]
        names = [tuple(name.lower() for name in path.names) for path in paths]
        doubled = next((path for place, path in enumerate(paths) if names[place] in names[:place]), None)
        if doubled is not None:
            message = f"duplicate field selected: {'.'.join(doubled.names)}"
            raise error(select.text, doubled.at, message)
        own = self._fields(sobject, paths, select.text)
        children = [self._children(sobject, item, select.text) for item in select.items if isinstance(item, Select)]
        if not children:
            return own
        return lambda row: own(row) | {name: get(row) for name, get in children}

    def _fields(self, sobject: SObject, paths: list[Path], text: str) -> Shape:
        getters: dict[str, Callable[[Record], Any]] = {}
        for path in paths:
            if len(path.names) > 1:
                link, _ = step(self._org, sobject, path, text)
                below = [p for p in paths if len(p.names) > 1 and p.names[0].lower() == path.names[0].lower()]
                getters.setdefault(link.relationship, self._parent(sobject, below, text))
                continue
            field = sobject.find(path.names[0])
            if field is None:
                raise no_column(sobject, path, text)
            getters[field.name] = reader(sobject, field)
        base, pairs = f"/services/data/v{self._version}/sobjects/{sobject.name}/", list(getters.items())

        def shape(row: Record) -> Record:
            made: Record = {"attributes": {"type": sobject.name, "url": base + row["Id"]}}
            for name, get in pairs:
                made[name] = get(row)
            return made

        return shape

    def _parent(self, sobject: SObject, paths: list[Path], text: str) -> Callable[[Record], Record | None]:
        link, parent = step(self._org, sobject, paths[0], text)
        shape = self._fields(parent, [Path(path.names[1:], path.at) for path in paths], text)

        def get(row: Record) -> Record | None:
            above = parent_row(self._org, link, parent, row)
            return shape(above) if above else None

        return get

    def _children(self, sobject: SObject, inner: Select, text: str) -> tuple[str, Callable[[Record], Record | None]]:
        known = {name.lower(): name for name in sobject.children}
        name = known.get(inner.sobject.lower())
        if name is None:
            message = f"Didn't understand relationship '{inner.sobject}' in FROM part of query call."
            raise error(text, inner.at, message, "INVALID_TYPE")
        if not inner.items or any(isinstance(item, Select) for item in inner.items):
            raise error(text, inner.at, "a subquery selects fields of one level only")
        child_name, link = sobject.children[name]
        child = self._org.model.get(child_name)
        shape, source = self.shape(child, inner), self._source(child, link)
        # Compiled once more for each parent row would be costly: an unconditional subquery needs no compiling at all.
        plain = inner.where is None and not inner.order and inner.limit is None and not inner.offset

        def get(row: Record) -> Record | None:
            rows = list(source(row)) if plain else self._rows(child, inner, source(row))
            return {"totalSize": len(rows), "done": True, "records": [shape(r) for r in rows]} if rows else None

        self._rows(child, inner, ())
        return name, get

    def _source(self, child: SObject, link: str) -> Source:
        if not self._deleted:
            return lambda row: self._org.lookup(child.name, link, row["Id"])
        by_parent: dict[str, list[Record]] = {}
        for each in self._org.rows(child.name):
            by_parent.setdefault(each[link], []).append(each)
        return lambda row: by_parent.get(row["Id"], [])


def _key(pair: tuple[Any, Record]) -> Any:  # noqa: ANN401 - any stored value
    return pair[0]
