"""What every emulator uses: HTTP server, clock, journal, faults, control API and certificates."""
