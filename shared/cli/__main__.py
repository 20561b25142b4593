"""`python -m shared.cli`, which `.venv/bin/cosell` calls."""

from shared.cli.main import main

main()
