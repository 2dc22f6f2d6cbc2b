"""The command line. Operators work on the store; people talk to a server with their own key."""

from goldvein.cli.commands import main

__all__ = ["main"]
