"""The `cosell` command: installs, connects, checks and operates; everything it does goes through the same `shared`."""
