"""The local run: all systems as emulators, a local Functions host, and the measurements."""
