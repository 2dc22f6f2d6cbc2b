"""The Python client of goldvein. What is not named here is private."""

from goldvein_client.client import Client, ClientError

__all__ = ["Client", "ClientError"]
