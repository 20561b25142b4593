import json
from pathlib import Path

import pytest

from local.host.host_json import HostSettings
from shared.foundation.errors import ConfigurationError


def written(folder: Path, content: object) -> Path:
    path = folder / "host.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_defaults_are_the_platforms(tmp_path: Path) -> None:
    settings = HostSettings.read(written(tmp_path, {"version": "2.0"}))

    assert settings == HostSettings()
    assert (settings.route_prefix, settings.concurrency, settings.max_dequeue_count) == ("api", 24, 5)


def test_what_host_json_says_holds(tmp_path: Path) -> None:
    queues = {"maxPollingInterval": "00:00:01", "visibilityTimeout": "00:00:30", "batchSize": 8, "maxDequeueCount": 3}
    content = {
        "version": "2.0", "functionTimeout": "00:10:00",
        "extensions": {"http": {"routePrefix": "/v1/"}, "queues": queues},
    }  # fmt: skip

    settings = HostSettings.read(written(tmp_path, content))

    assert (settings.function_timeout, settings.route_prefix, settings.max_dequeue_count) == (600, "v1", 3)
    assert (settings.batch_size, settings.new_batch_threshold, settings.visibility_timeout) == (8, 4, 30)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "host.json is no JSON"),
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
        HostSettings.read(written(tmp_path, content))
    assert "an example" in str(refused.value)


def test_a_missing_host_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no host\.json"):
        HostSettings.read(tmp_path / "host.json")
