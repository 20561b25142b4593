"""An emulator of the managed-identity endpoint of a Functions host."""
