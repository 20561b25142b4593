"""Compile WHERE to a predicate, and find the few records that can match at all."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Kind, Record, SObject
from emulators.salesforce.query.literals import comparable_literal, like_pattern, value_folder
from emulators.salesforce.query.paths import ResolvedPath, resolve_path
from emulators.salesforce.query.soql import Combined, Comparison, Condition, Membership, Path, Select

type Predicate = Callable[[Record], bool]
type Keys = frozenset[Any]

MAX_SEMI_JOINS = 2


def _raise_malformed(message: str) -> NoReturn:
    raise ApiError(400, "MALFORMED_QUERY", message)


class ConditionCompiler:
    """Compiles the condition of one query. `run` returns the column of a semi-join's inner query."""

    def __init__(self, org: Org, sobject: SObject, text: str, run: Callable[[Select], list[Any]]) -> None:
        """`text` is the whole query, for error messages."""
        self._org = org
        self._sobject = sobject
        self._text = text
        self._run = run
        self._semi_joins = 0
        # Each field of the object itself that the top level compares for equality, with the values that can match.
        self.key_conditions: list[tuple[str, Keys]] = []

    def compile_where(self, condition: Condition | None) -> Predicate:
        """The predicate of a condition; without a condition every record matches. Raises ApiError."""
        if condition is None:
            return lambda _: True
        return self._compile(condition, top=True)

    def _compile(self, condition: Condition, *, top: bool) -> Predicate:
        match condition:
            case Combined("AND", parts):
                needed = [self._compile(part, top=top) for part in parts]
                return lambda record: all(test(record) for test in needed)
            case Combined("OR", parts):
                alternatives = [self._compile(part, top=False) for part in parts]
                return lambda record: any(test(record) for test in alternatives)
            case Combined(_, parts):
                negated = self._compile(parts[0], top=False)
                return lambda record: not negated(record)
            case Membership():
                return self._compile_membership(condition, top=top)
            case Comparison():
                return self._compile_comparison(condition, top=top)

    def _resolve(self, path: Path) -> ResolvedPath:
        return resolve_path(self._org, self._sobject, path, self._text)

    def _compile_comparison(self, condition: Comparison, *, top: bool) -> Predicate:
        resolved = self._resolve(condition.path)
        get, fold = resolved.get, value_folder(resolved.field)
        if condition.sign == "LIKE":
            pattern = like_pattern(resolved.field, condition.literal)
            return lambda record: (value := get(record)) is not None and bool(pattern.fullmatch(value))
        expected = comparable_literal(resolved.field, condition.literal)
        if condition.sign == "=":
            self._note_keys(condition.path, resolved, frozenset([expected]), top=top)
            return lambda record: fold(get(record)) == expected
        if condition.sign == "!=":
            return lambda record: fold(get(record)) != expected
        if resolved.field.kind is Kind.BOOLEAN or expected is None:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {resolved.field.kind} field")
        return _order_predicate(condition.sign, get, fold, expected)

    def _compile_membership(self, condition: Membership, *, top: bool) -> Predicate:
        resolved = self._resolve(condition.path)
        get, fold = resolved.get, value_folder(resolved.field)
        if isinstance(condition.among, Select):
            keys = self._semi_join_keys(condition.path, resolved, condition.among, top=top)
        else:
            keys = frozenset(comparable_literal(resolved.field, literal) for literal in condition.among)
        if condition.negated:
            return lambda record: fold(get(record)) not in keys
        self._note_keys(condition.path, resolved, keys, top=top)
        return lambda record: fold(get(record)) in keys

    def _note_keys(self, path: Path, resolved: ResolvedPath, keys: Keys, *, top: bool) -> None:
        if top and len(path.names) == 1 and None not in keys:
            self.key_conditions.append((resolved.field.name, keys))

    # --- semi-joins (docs/reference/salesforce.md#soql-rules)

    def _semi_join_keys(self, path: Path, resolved: ResolvedPath, inner: Select, *, top: bool) -> Keys:
        self._semi_joins += 1
        if not top:
            _raise_malformed(
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE "
                "expressions."
            )
        if self._semi_joins > MAX_SEMI_JOINS:
            _raise_malformed(f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed")
        inner_object = self._object_of_column(inner)
        outer_object = resolved.field.refers or (self._sobject.name if resolved.field.kind is Kind.ID else "")
        if inner_object != outer_object:
            _raise_malformed(
                f"The selected field '{self._column_name(inner)}' in the subquery and the left operand field in the "
                f"where expression in the outer query '{'.'.join(path.names)}' should point to the same object type"
            )
        return frozenset(value for value in self._run(inner) if value is not None)

    def _object_of_column(self, inner: Select) -> str:
        """Check a semi-join's inner query; returns the object that its only column points to. Raises ApiError."""
        if inner.order or inner.limit is not None or inner.offset:
            _raise_malformed("ORDER BY, LIMIT and OFFSET are not allowed in a semi join sub-select")
        if len(inner.items) != 1 or not isinstance(inner.items[0], Path):
            _raise_malformed("A semi join sub-select must select exactly one field")
        sobject = self._org.seen.find_object(inner.sobject)
        if sobject is None:
            raise unknown_object(inner.sobject)
        if sobject.name == self._sobject.name:
            _raise_malformed("The inner and outer selects should not be on the same object type")
        field = resolve_path(self._org, sobject, inner.items[0], self._text).field
        return field.refers or (sobject.name if field.kind is Kind.ID else "?")

    @staticmethod
    def _column_name(inner: Select) -> str:
        column = inner.items[0]
        return ".".join(column.names) if isinstance(column, Path) else ""


def unknown_object(name: str) -> ApiError:
    """The query names an object that does not exist, or that the user may not see."""
    return ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")


def _order_predicate(sign: str, get: Callable[[Record], Any], fold: Callable[[Any], Any], expected: Any) -> Predicate:  # noqa: ANN401 - any stored value
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < expected,
        "<=": lambda value: value <= expected,
        ">": lambda value: value > expected,
        ">=": lambda value: value >= expected,
    }
    test = tests[sign]
    return lambda record: (value := get(record)) is not None and test(fold(value))


def candidate_records(org: Org, sobject: SObject, key_conditions: list[tuple[str, Keys]]) -> Iterator[Record]:
    """The records that the predicate must test, deleted ones included: by id if the condition names ids, else all."""
    ids = min((keys for name, keys in key_conditions if name == "Id"), key=len, default=None)
    if ids is not None:
        yield from filter(None, (org.stored_record(sobject.name, each) for each in sorted(ids)))
        return
    yield from org.stored_records(sobject.name)


def indexed_records(org: Org, sobject: SObject, key_conditions: list[tuple[str, Keys]]) -> Iterator[Record] | None:
    """The records, not deleted, that an indexed field of the condition selects; None if no such field is named."""
    for name, keys in key_conditions:
        field = sobject.find_field(name)
        if field is not None and field.is_indexed:
            return (record for key in sorted(keys) for record in org.records_by_value(sobject.name, name, key))
    return None
