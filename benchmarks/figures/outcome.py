"""What one run measured."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """Samples by row and build, for what failed a reason by the same key, and the time of the run."""

    samples: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    seconds: float = 0.0
