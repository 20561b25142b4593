"""Keep the emulated time, which tests and the control API can move and stop."""

from datetime import UTC, datetime, timedelta


class EmulatedClock:
    """Shows the real time plus an offset, or a time that stands still."""

    def __init__(self) -> None:
        """Start at the real time."""
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Return the emulated time in UTC."""
        return (self._frozen or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the time forward by `seconds`; a negative number moves it back."""
        self._offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Set the time to `moment`, an aware datetime."""
        self._offset += moment - self.now()

    def freeze(self, frozen: bool = True) -> None:
        """Stop the time at the present emulated time, or let it run on from there."""
        now = self.now()
        self._offset = timedelta()
        self._frozen = now if frozen else None
        if not frozen:
            self.set(now)
