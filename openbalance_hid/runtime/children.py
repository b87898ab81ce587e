"""The children of the daemon, for what it needs for moments and would keep in memory: requests, and reading the keyring."""

from openbalance_hid.desktop.keyring_process import KeyringProcess
from openbalance_hid.runtime.http_process import HttpProcess


class Children:
    """Starts each when it is needed."""

    def __init__(self) -> None:
        self.http = HttpProcess()
        self.keyring = KeyringProcess()

    def close(self) -> None:
        """End both. Idempotent."""
        self.http.close()
        self.keyring.close()
