"""Run a query: compile its tree against the org, find the records, sort them, and shape them as the service does."""

from collections.abc import Callable, Iterable
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.values import field_reader
from emulators.salesforce.query.conditions import (
    ConditionCompiler,
    candidate_records,
    indexed_records,
    unknown_object,
)
from emulators.salesforce.query.literals import value_folder
from emulators.salesforce.query.paths import MAX_LEVELS, no_such_column, parent_record, resolve_parent, resolve_path
from emulators.salesforce.query.soql import Path, Select, parse_soql
from emulators.salesforce.query.tokens import soql_error

type Shape = Callable[[Record], Record]
type ChildSource = Callable[[Record], Iterable[Record]]

MAX_OFFSET = 2_000


class QueryRunner:
    """Runs queries of one API version, which is part of the address of each record."""

    def __init__(self, org: Org, version: str, *, deleted: bool = False) -> None:
        """`deleted` includes the recycle bin, as queryAll does."""
        self._org = org
        self._version = version
        self._deleted = deleted

    def run(self, text: str) -> tuple[list[Record], int]:
        """The records of a query and their number; COUNT() returns no records. Raises ApiError."""
        select = parse_soql(text)
        sobject = self._org.seen.find_object(select.sobject)
        if sobject is None:
            raise unknown_object(select.sobject)
        # The fields are checked before the records are found: a wrong field is an error even if nothing matches.
        shape = self._compile_shape(sobject, select) if select.items else None
        records = self._matching_records(sobject, select)
        return ([shape(each) for each in records] if shape else []), len(records)

    # --- records

    def _matching_records(
        self, sobject: SObject, select: Select, source: Iterable[Record] | None = None
    ) -> list[Record]:
        """The sorted records that match, of `source` or of the whole object."""
        compiler = ConditionCompiler(self._org, sobject, select.text, self._semi_join_column)
        test = compiler.compile_where(select.where)
        if source is None:
            source = None if self._deleted else indexed_records(self._org, sobject, compiler.key_conditions)
            source = source or candidate_records(self._org, sobject, compiler.key_conditions)
        readable = self._org.readable_records(sobject.name, source)
        matching = [each for each in readable if (self._deleted or not each["IsDeleted"]) and test(each)]
        return self._cut_to_limit(self._sort_records(sobject, select, matching), select)

    def _semi_join_column(self, inner: Select) -> list[Any]:
        """The values of the only column of a semi-join's inner query."""
        sobject, column = self._org.seen.get(inner.sobject), inner.items[0]
        if not isinstance(column, Path):
            return []
        get = resolve_path(self._org, sobject, column, inner.text).get
        return [get(each) for each in self._matching_records(sobject, inner)]

    def _sort_records(self, sobject: SObject, select: Select, records: list[Record]) -> list[Record]:
        for order in reversed(select.order):
            resolved = resolve_path(self._org, sobject, order.path, select.text)
            if resolved.field.is_long:
                message = f"field '{resolved.field.name}' can not be sorted in a query call"
                raise ApiError(400, "INVALID_FIELD", message)
            fold, get = value_folder(resolved.field), resolved.get
            keyed = [(fold(get(each)), each) for each in records]
            empty = [record for key, record in keyed if key is None]
            filled = sorted((pair for pair in keyed if pair[0] is not None), key=_sort_key, reverse=order.descending)
            present = [record for _, record in filled]
            records = present + empty if order.nulls_last else empty + present
        return records

    @staticmethod
    def _cut_to_limit(records: list[Record], select: Select) -> list[Record]:
        if select.offset > MAX_OFFSET:
            message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        end = None if select.limit is None else select.offset + select.limit
        return records[select.offset : end]

    # --- shapes

    def _compile_shape(self, sobject: SObject, select: Select) -> Shape:
        """A function from a stored record to its JSON: own fields, parents nested, children as subquery results."""
        paths = [item for item in select.items if isinstance(item, Path)]
        _check_no_duplicate(paths, select.text)
        own_fields = self._compile_fields(sobject, paths, select.text)
        subqueries = [item for item in select.items if isinstance(item, Select)]
        children = [self._compile_subquery(sobject, each, select.text) for each in subqueries]
        if not children:
            return own_fields
        return lambda record: own_fields(record) | {name: get(record) for name, get in children}

    def _compile_fields(self, sobject: SObject, paths: list[Path], text: str) -> Shape:
        getters: dict[str, Callable[[Record], Any]] = {}
        below: dict[str, list[Path]] = {}  # by parent
        for path in paths:
            if len(path.names) > 1:
                below.setdefault(path.names[0].lower(), []).append(path)
        for path in paths:
            if len(path.names) > 1:
                # All paths to one parent are compiled at the first of them.
                inner = below.pop(path.names[0].lower(), [])
                if inner or len(path.names) > MAX_LEVELS:
                    link, _ = resolve_parent(self._org, sobject, path, text)
                    getters.setdefault(link.relationship, self._compile_parent(sobject, inner or [path], text))
                continue
            field = sobject.find_field(path.names[0])
            if field is None:
                raise no_such_column(sobject, path, text)
            getters[field.name] = field_reader(sobject, field)
        base, pairs = f"/services/data/v{self._version}/sobjects/{sobject.name}/", list(getters.items())

        def shape_fields(record: Record) -> Record:
            shaped: Record = {"attributes": {"type": sobject.name, "url": base + record["Id"]}}
            for name, get in pairs:
                shaped[name] = get(record)
            return shaped

        return shape_fields

    def _compile_parent(self, sobject: SObject, paths: list[Path], text: str) -> Callable[[Record], Record | None]:
        """A function from a record to the nested JSON of a parent; all paths begin with that parent."""
        link, parent = resolve_parent(self._org, sobject, paths[0], text)
        shape = self._compile_fields(parent, [Path(path.names[1:], path.at) for path in paths], text)

        def shape_parent(record: Record) -> Record | None:
            above = parent_record(self._org, link, parent, record)
            return shape(above) if above else None

        return shape_parent

    def _compile_subquery(
        self, sobject: SObject, inner: Select, text: str
    ) -> tuple[str, Callable[[Record], Record | None]]:
        """The name of a child relationship, and a function from a parent record to the subquery's result."""
        known = {name.lower(): name for name in sobject.children}
        name = known.get(inner.sobject.lower())
        if name is None:
            message = f"Didn't understand relationship '{inner.sobject}' in FROM part of query call."
            raise soql_error(text, inner.at, message, "INVALID_TYPE")
        if not inner.items or any(isinstance(item, Select) for item in inner.items):
            raise soql_error(text, inner.at, "a subquery selects fields of one level only")
        child_name, link = sobject.children[name]
        child = self._org.seen.get(child_name)
        shape, source = self._compile_shape(child, inner), self._child_source(child, link)
        # Compiling again for each parent record is slow, and a subquery without conditions does not need it.
        is_plain = inner.where is None and not inner.order and inner.limit is None and not inner.offset

        def run_subquery(record: Record) -> Record | None:
            children = source(record)
            readable = self._org.readable_records(child.name, children)
            matching = list(readable) if is_plain else self._matching_records(child, inner, children)
            shaped = [shape(each) for each in matching]
            return {"totalSize": len(shaped), "done": True, "records": shaped} if shaped else None

        self._matching_records(child, inner, ())  # raises for a wrong condition even if no parent matches
        return name, run_subquery

    def _child_source(self, child: SObject, link: str) -> ChildSource:
        if not self._deleted:
            return lambda record: self._org.records_by_value(child.name, link, record["Id"])
        by_parent: dict[str, list[Record]] = {}
        for each in self._org.stored_records(child.name):
            by_parent.setdefault(each[link], []).append(each)
        return lambda record: by_parent.get(record["Id"], [])


def _check_no_duplicate(paths: list[Path], text: str) -> None:
    """Raise ApiError at the first path that stands twice."""
    seen = set[str]()
    for path in paths:
        name = ".".join(path.names)
        if name.lower() in seen:
            raise soql_error(text, path.at, f"duplicate field selected: {name}")
        seen.add(name.lower())


def _sort_key(pair: tuple[Any, Record]) -> Any:  # noqa: ANN401 - any stored value
    return pair[0]
