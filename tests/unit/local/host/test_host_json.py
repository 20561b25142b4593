import json
from pathlib import Path

import pytest

from local.host.host_json import HostSettings
from shared.foundation.errors import ConfigurationError


def write_host_json(folder: Path, content: object) -> Path:
    path = folder / "host.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_defaults_are_those_of_the_platform(tmp_path: Path) -> None:
    settings = HostSettings.read(write_host_json(tmp_path, {"version": "2.0"}))

    assert settings == HostSettings()
    assert (settings.route_prefix, settings.concurrency, settings.max_dequeue_count) == ("api", 24, 5)


def test_the_values_of_host_json_replace_the_defaults(tmp_path: Path) -> None:
    queues = {"maxPollingInterval": "00:00:01", "visibilityTimeout": "00:00:30", "batchSize": 8, "maxDequeueCount": 3}
    content = {
        "version": "2.0", "functionTimeout": "00:10:00",
        "extensions": {"http": {"routePrefix": "/v1/"}, "queues": queues},
    }  # fmt: skip

    settings = HostSettings.read(write_host_json(tmp_path, content))

    assert (settings.function_timeout, settings.route_prefix, settings.max_dequeue_count) == (600, "v1", 3)
    assert (settings.batch_size, settings.new_batch_threshold, settings.visibility_timeout) == (8, 4, 30)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "host.json is not JSON"),
        ({}, '"version" must be "2.0"'),
        ({"version": "2.0", "functionTimeout": "ten minutes"}, "functionTimeout"),
        (
            {"version": "2.0", "extensions": {"queues": {"batchSize": 33}}},
            "batchSize must be a whole number from 1 to 32",
        ),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": True}}}, "batchSize"),
        ({"version": "2.0", "extensions": {"queues": {"messageEncoding": "rot13"}}}, "messageEncoding"),
        ({"version": "2.0", "extensions": []}, "host.json"),
    ],
)
def test_a_wrong_host_json_is_refused_with_an_example(tmp_path: Path, content: object, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        HostSettings.read(write_host_json(tmp_path, content))
    assert "an example" in str(refused.value)


def test_a_missing_host_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"host\.json is missing in the app folder"):
        HostSettings.read(tmp_path / "host.json")
