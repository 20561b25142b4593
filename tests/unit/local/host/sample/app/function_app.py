"""A small app with one function for each feature of the host."""

import asyncio
import json
import os
import threading
import typing
from http import HTTPStatus

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
SEEN: list[str] = []
GO_ON = threading.Event()


@app.route(route="items/{id:int}/{part?}", methods=["GET", "POST"])
def show_item(req: func.HttpRequest) -> func.HttpResponse:
    request = {
        "method": req.method, "url": req.url, "route": dict(req.route_params), "query": dict(req.params),
        "body": req.get_body().decode(), "agent": req.headers.get("User-Agent"),
    }  # fmt: skip
    return func.HttpResponse(json.dumps(request), status_code=HTTPStatus.CREATED, headers={"X-Shown": "1"})


@app.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="events", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
def receive(req: func.HttpRequest, events: func.Out[str]) -> func.HttpResponse:
    events.set(req.get_body().decode())
    return func.HttpResponse(status_code=HTTPStatus.ACCEPTED)


@app.route(route="many", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="events", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
def receive_many(req: func.HttpRequest, events: func.Out[typing.Sequence[str]]) -> func.HttpResponse:
    events.set(req.get_json())
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
def apply(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    SEEN.append(f"{body} {message.dequeue_count}")
    if body == "bad":
        raise ValueError("cannot be applied")
    if body == "wait":
        GO_ON.wait(60)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%-poison", connection="AzureWebJobsStorage")
def record_poison(message: func.QueueMessage) -> None:
    SEEN.append(f"poison {message.get_body().decode()}")


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    if os.environ.get("SAMPLE_TIMER_FAILS"):
        raise RuntimeError("the other side does not answer")
    SEEN.append(f"tick past_due={timer.past_due}")


@app.route(route="chiefs", auth_level=func.AuthLevel.ADMIN)
async def only_admins(req: func.HttpRequest, context: func.Context) -> str:
    await asyncio.sleep(0)
    trace = str(context.trace_context.trace_parent)
    method = str(req.method)
    return f"{method} {trace}"


@app.route(route="failing", auth_level=func.AuthLevel.ANONYMOUS)
def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise KeyError(req.method)


@app.route(route="slow", auth_level=func.AuthLevel.ANONYMOUS)
async def sleep_long(req: func.HttpRequest) -> str:
    await asyncio.sleep(60)
    return str(req.method)


@app.route(route="cookie", auth_level=func.AuthLevel.ANONYMOUS)
def set_cookie(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method, headers={"Set-Cookie": "a=b; Path=/; SameSite=Lax; Max-Age=5"})


@app.route(route="{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def catch_all(req: func.HttpRequest) -> str:
    return f"rest {req.route_params.get('rest', '')}"
