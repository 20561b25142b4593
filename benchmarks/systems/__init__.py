"""The builds that are measured, and the programs that run of each: emulators, app and scripts."""
