"""A back end for the library keyring that does what the name of the entry says. For a process that a test starts."""

import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import InitError, KeyringLocked


class Backend(KeyringBackend):
    @properties.classproperty
    def priority(self) -> float:
        if "KEYRING_WAITS" not in os.environ:
            raise RuntimeError("only where a test names it: the library must not choose it by itself")
        return 1.0

    def get_password(self, service: str, username: str) -> str | None:
        match username:
            case "none":
                return None
            case "locked":
                raise KeyringLocked("sk-or-v1-0123456789abcdef")
            case "closed":
                raise InitError("sk-or-v1-0123456789abcdef")
            case "bug":
                raise ValueError("sk-or-v1-0123456789abcdef")
            case "missing":
                raise ModuleNotFoundError("no", name="secretstorage")
            case "crash" if "KEYRING_CRASHES" in os.environ:
                os.abort()
            case "waits":
                Path(os.environ["KEYRING_WAITS"]).write_text(str(os.getpid()))
                while not Path(os.environ["KEYRING_WAITS"] + ".answered").exists():
                    time.sleep(0.01)
        return f"{service}:{username}:ä\n"

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError
