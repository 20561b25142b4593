"""Defines the message classes that the worker library uses in place of protobuf messages.

The library never imports protobuf. It takes this module from `request.properties["protos"]` and uses its classes by
name: docs/reference/azure.md#the-worker-library. Names, fields and enum numbers follow Microsoft's protobuf definition.
"""

import builtins
from dataclasses import dataclass, field, fields
from datetime import timedelta
from types import SimpleNamespace
from typing import Any


class BindingInfo:
    """One binding of a function. The numbers of direction and data type are those of the protobuf definition."""

    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2

    def __init__(self, *, type: str, data_type: int | None, direction: int) -> None:  # noqa: A002 - the name in the protobuf definition
        self.type = type
        self.data_type = data_type
        self.direction = direction


setattr(BindingInfo, "in", 0)  # `in` is a keyword of Python, so it cannot be assigned above


@dataclass(kw_only=True)
class RpcException:
    """The error that a function raised. `message` begins with the name of its type."""

    message: str = ""
    stack_trace: str = ""
    source: str = ""


@dataclass(kw_only=True)
class StatusResult:
    """Whether a request to the library succeeded, and the error if it did not."""

    Failure, Success, Cancelled = 0, 1, 2
    status: int = 0
    exception: RpcException | None = None


@dataclass(kw_only=True)
class Timestamp:
    """A time in seconds since 1970."""

    seconds: int


@dataclass(kw_only=True)
class NullableString:
    """A text that may be absent."""

    value: str


@dataclass(kw_only=True)
class NullableBool:
    """A boolean that may be absent."""

    value: bool


@dataclass(kw_only=True)
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass(kw_only=True)
class NullableTimestamp:
    """A time that may be absent."""

    value: Timestamp


@dataclass(kw_only=True)
class RpcHttpCookie:
    """A cookie of a response."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})
    name: str
    value: str
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


@dataclass(kw_only=True)
class RpcHttp:
    """An HTTP request, or the response to one."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: "TypedData | None" = None
    status_code: str = "200"
    cookies: list[RpcHttpCookie] | None = None
    enable_content_negotiation: bool = False


@dataclass(kw_only=True)
class TypedData:
    """One value. Exactly one of the fields is set."""

    string: str | None = None
    json: str | None = None
    bytes: "builtins.bytes | None" = None
    http: RpcHttp | None = None
    int: "builtins.int | None" = None
    double: float | None = None
    collection_bytes: Any = None
    collection_string: Any = None
    collection_double: Any = None
    collection_sint64: Any = None
    model_binding_data: Any = None
    collection_model_binding_data: Any = None

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The name of the field that is set; `group` is always `data`."""
        del group
        return next((f.name for f in fields(self) if getattr(self, f.name) is not None), None)


@dataclass(kw_only=True)
class ParameterBinding:
    """A value bound to a parameter."""

    name: str
    data: TypedData | None = None

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        """Always `data`. The other member of the group is shared memory, which this host does not use."""
        del group
        return "data"


@dataclass(kw_only=True)
class RpcRetryOptions:
    """A retry policy, as the library reports it."""

    max_retry_count: int = 0
    retry_strategy: str = ""
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(kw_only=True)
class RpcFunctionMetadata:
    """One function, as the library reports it. Each of `raw_bindings` is a JSON text."""

    name: str
    function_id: str
    raw_bindings: list[str]
    bindings: dict[str, BindingInfo]
    retry_options: RpcRetryOptions | None = None
    directory: str = ""
    script_file: str = ""
    entry_point: str = ""
    language: str = ""
    is_proxy: bool = False
    managed_dependency_enabled: bool = False
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class WorkerMetadata:
    """The name and version of the worker."""

    runtime_name: str = ""
    runtime_version: str = ""
    worker_version: str = ""
    worker_bitness: str = ""
    custom_properties: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class WorkerInitResponse:
    """The response to the first request, which initialises the worker."""

    result: StatusResult
    capabilities: dict[str, str] = field(default_factory=dict)
    worker_metadata: WorkerMetadata | None = None


@dataclass(kw_only=True)
class FunctionMetadataResponse:
    """The list of the app's functions."""

    result: StatusResult
    function_metadata_results: list[RpcFunctionMetadata] | None = None
    use_default_metadata_indexing: bool = False


@dataclass(kw_only=True)
class FunctionLoadResponse:
    """The response to the request that loads one function."""

    result: StatusResult
    function_id: str = ""


@dataclass(kw_only=True)
class RpcTraceContext:
    """The W3C trace context of a run."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class RetryContext:
    """The number of retries by the host's retry policy. This host has no retry policies, so it is always 0."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException | None = None


@dataclass(kw_only=True)
class InvocationRequest:
    """The request to run one function."""

    invocation_id: str
    function_id: str
    input_data: list[ParameterBinding]
    trigger_metadata: dict[str, TypedData] = field(default_factory=dict)
    trace_context: RpcTraceContext = field(default_factory=RpcTraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)


@dataclass(kw_only=True)
class InvocationResponse:
    """The result of a run."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)
