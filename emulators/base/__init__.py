"""The parts that all emulators share: HTTP server, clock, journal, faults, control API and certificates."""
