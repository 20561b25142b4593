"""WHERE: from the tree to a predicate, and to the few rows that can match at all."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Kind, Record, SObject
from emulators.salesforce.query.literals import comparable, folding, like
from emulators.salesforce.query.paths import Reached, reach
from emulators.salesforce.query.soql import Combined, Comparison, Condition, Membership, Path, Select

type Predicate = Callable[[Record], bool]
type Keys = frozenset[Any]

MAX_SEMI_JOINS = 2


def _malformed(message: str) -> NoReturn:
    raise ApiError(400, "MALFORMED_QUERY", message)


class Where:
    """A compiled condition. `run` answers a semi-join's inner query with the values of its only column."""

    def __init__(self, org: Org, sobject: SObject, text: str, run: Callable[[Select], list[Any]]) -> None:
        """`text` is the whole query, for error messages."""
        self._org = org
        self._sobject = sobject
        self._text = text
        self._run = run
        self._semi_joins = 0
        # Per field of the object itself that is compared for equality at the top level: the values that can match.
        self.narrow: list[tuple[str, Keys]] = []

    def compile(self, condition: Condition | None) -> Predicate:
        """The predicate of a condition; no condition matches all. Raises ApiError."""
        if condition is None:
            return lambda _: True
        return self._compile(condition, top=True)

    def _compile(self, condition: Condition, *, top: bool) -> Predicate:
        match condition:
            case Combined("AND", parts):
                needed = [self._compile(part, top=top) for part in parts]
                return lambda row: all(test(row) for test in needed)
            case Combined("OR", parts):
                enough = [self._compile(part, top=False) for part in parts]
                return lambda row: any(test(row) for test in enough)
            case Combined(_, parts):
                refused = self._compile(parts[0], top=False)
                return lambda row: not refused(row)
            case Membership():
                return self._membership(condition, top=top)
            case Comparison():
                return self._comparison(condition, top=top)

    def _reach(self, path: Path) -> Reached:
        return reach(self._org, self._sobject, path, self._text)

    def _comparison(self, condition: Comparison, *, top: bool) -> Predicate:
        reached = self._reach(condition.path)
        get, fold = reached.get, folding(reached.field)
        if condition.sign == "LIKE":
            pattern = like(reached.field, condition.literal)
            return lambda row: (value := get(row)) is not None and bool(pattern.fullmatch(value))
        wanted = comparable(reached.field, condition.literal)
        if condition.sign == "=":
            self._note(condition.path, reached, frozenset([wanted]), top=top)
            return lambda row: fold(get(row)) == wanted
        if condition.sign == "!=":
            return lambda row: fold(get(row)) != wanted
        if reached.field.kind is Kind.BOOLEAN or wanted is None:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {reached.field.kind} field")
        return _ordered(condition.sign, get, fold, wanted)

    def _membership(self, condition: Membership, *, top: bool) -> Predicate:
        reached = self._reach(condition.path)
        get, fold = reached.get, folding(reached.field)
        if isinstance(condition.among, Select):
            keys = self._semi_join(condition.path, reached, condition.among, top=top)
        else:
            keys = frozenset(comparable(reached.field, literal) for literal in condition.among)
        if condition.negated:
            return lambda row: fold(get(row)) not in keys
        self._note(condition.path, reached, keys, top=top)
        return lambda row: fold(get(row)) in keys

    def _note(self, path: Path, reached: Reached, keys: Keys, *, top: bool) -> None:
        if top and len(path.names) == 1 and None not in keys:
            self.narrow.append((reached.field.name, keys))

    # --- semi-joins (reference/salesforce.md 2.5, 6.4)

    def _semi_join(self, path: Path, reached: Reached, inner: Select, *, top: bool) -> Keys:
        self._semi_joins += 1
        if not top:
            _malformed(
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE "
                "expressions."
            )
        if self._semi_joins > MAX_SEMI_JOINS:
            _malformed(f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed")
        column = self._checked_inner(inner)
        outer = reached.field.refers or (self._sobject.name if reached.field.kind is Kind.ID else "")
        if column != outer:
            _malformed(
                f"The selected field '{self._column_name(inner)}' in the subquery and the left operand field in the "
                f"where expression in the outer query '{'.'.join(path.names)}' should point to the same object type"
            )
        return frozenset(value for value in self._run(inner) if value is not None)

    def _checked_inner(self, inner: Select) -> str:
        """The object that the inner query's only column points to."""
        if inner.order or inner.limit is not None or inner.offset:
            _malformed("ORDER BY, LIMIT and OFFSET are not allowed in a semi join sub-select")
        if len(inner.items) != 1 or not isinstance(inner.items[0], Path):
            _malformed("A semi join sub-select must select exactly one field")
        sobject = self._org.model.find(inner.sobject)
        if sobject is None:
            raise no_such_type(inner.sobject)
        if sobject.name == self._sobject.name:
            _malformed("The inner and outer selects should not be on the same object type")
        field = reach(self._org, sobject, inner.items[0], self._text).field
        return field.refers or (sobject.name if field.kind is Kind.ID else "?")

    @staticmethod
    def _column_name(inner: Select) -> str:
        column = inner.items[0]
        return ".".join(column.names) if isinstance(column, Path) else ""


def no_such_type(name: str) -> ApiError:
    """The query names an object that is not there."""
    return ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")


def _ordered(sign: str, get: Callable[[Record], Any], fold: Callable[[Any], Any], wanted: Any) -> Predicate:  # noqa: ANN401 - any stored value
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < wanted,
        "<=": lambda value: value <= wanted,
        ">": lambda value: value > wanted,
        ">=": lambda value: value >= wanted,
    }
    test = tests[sign]
    return lambda row: (value := get(row)) is not None and test(fold(value))


def candidates(org: Org, sobject: SObject, narrow: list[tuple[str, Keys]]) -> Iterator[Record]:
    """The rows worth testing, deleted ones among them: by id where the condition names ids, else all."""
    keys = min((keys for name, keys in narrow if name == "Id"), key=len, default=None)
    if keys is not None:
        yield from filter(None, (org.row(sobject.name, key) for key in sorted(keys)))
        return
    yield from org.rows(sobject.name)


def indexed(org: Org, sobject: SObject, narrow: list[tuple[str, Keys]]) -> Iterator[Record] | None:
    """Live rows by an indexed field, where the condition names its values; None: there is no such condition."""
    for name, keys in narrow:
        field = sobject.find(name)
        if field is not None and field.indexed:
            return (row for key in sorted(keys) for row in org.lookup(sobject.name, name, key))
    return None
