"""`python -m api.cli`: the same as `tidegate`."""

from api.cli import main

main()
