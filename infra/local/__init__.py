"""The same three systems on one machine: emulators and a stand-in for the Functions host."""
