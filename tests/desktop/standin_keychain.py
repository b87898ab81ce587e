"""The Keychain of macOS behind the keyring library's own back end, and the system's `security`, over one file.

Sources: keyring.backends.macOS (its `api` is replaced here; "set" removes the entry and adds it), Apple's SecItem.h and
SecBase.h, and reports: SecItemDelete returns -25244 for an entry of another Python (jaraco/keyring 605, liquidz00/Patcher 68),
SecItemAdd -25299 for one that exists (python-poetry/poetry 6607), each call -25308 where a dialog cannot open (Garmelon/PFERD
55), a read -25293 for a program whose signature has changed (atom/node-keytar 76), -128 after Deny.
`security delete-generic-password` removes every entry, and ends with 44 without one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keyring
import pytest
from keyring.backends import macOS

from openbalance_hid.desktop import keychain

SECURITY = """
import json, pathlib, sys
file, (command, *words) = pathlib.Path({file!r}), sys.argv[1:]
options = dict(zip(words[::2], words[1::2]))
state = json.loads(file.read_text())
if command != "delete-generic-password":
    sys.exit(2)
if state["entries"].pop(options["-s"] + "/" + options["-a"], None) is None:
    sys.exit(44)
file.write_text(json.dumps(state))
"""


class SecError(Exception):
    """As the library's `api.Error`: status and text."""


class NotFound(SecError):
    pass


class KeychainDenied(SecError):
    pass


class Keychain:
    """`program`: the signature of the Python that calls; `answers`: of the user in each dialog: allow, always or deny."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.program = "python3.13"
        self.has_display = True
        self.refuses = False  # the signature of the program has changed in a way that allows no dialog
        self.answers: list[str] = []
        self.dialogs = 0
        self._write({"entries": {}, "locked": False})

    @property
    def entries(self) -> dict[str, Any]:
        found: dict[str, Any] = self._read()["entries"]
        return found

    def lock(self) -> None:
        self._write({**self._read(), "locked": True})

    def find_generic_password(self, _keychain: None, service: str, account: str) -> str:
        state = self._read()
        entry = state["entries"].get(f"{service}/{account}")
        if entry is None:
            raise NotFound(-25300, "Item not found")
        self._unlock(state)
        if self.program not in entry["programs"]:
            if self.refuses:
                raise SecError(-25293, "Security Auth Failure")
            if self._dialog() == "always":
                entry["programs"].append(self.program)
        self._write(state)
        return str(entry["password"])

    def set_generic_password(self, _keychain: None, service: str, account: str, password: str) -> None:
        if f"{service}/{account}" in self.entries:
            self.delete_generic_password(None, service, account)
        state = self._read()
        self._unlock(state)
        state["entries"][f"{service}/{account}"] = {"password": password, "programs": [self.program]}
        self._write(state)

    def delete_generic_password(self, _keychain: None, service: str, account: str) -> None:
        state = self._read()
        entry = state["entries"].get(f"{service}/{account}")
        if entry is None:
            raise NotFound(-25300, "Item not found")
        if self.program not in entry["programs"]:
            raise SecError(-25244, "Unknown Error")
        del state["entries"][f"{service}/{account}"]
        self._write(state)

    def _unlock(self, state: dict[str, Any]) -> None:
        if state["locked"]:
            self._dialog()
            state["locked"] = False

    def _dialog(self) -> str:
        if not self.has_display:
            raise SecError(-25308, "Unknown Error")
        self.dialogs += 1
        answer = self.answers.pop(0)
        if answer == "deny":
            raise KeychainDenied(-128, "Keychain Access Denied")
        return answer

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file.read_text())
        return found

    def _write(self, state: dict[str, Any]) -> None:
        self._file.write_text(json.dumps(state))


def install_keychain(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Keychain:
    """Make the Keychain the keyring of this process, which is one on macOS from now on."""
    found = Keychain(directory / "keychain.json")
    api: Any = ModuleType("api")
    api.Error, api.NotFound, api.KeychainDenied = SecError, NotFound, KeychainDenied
    for name in ("find_generic_password", "set_generic_password", "delete_generic_password"):
        setattr(api, name, getattr(found, name))
    security = directory / "security"
    security.write_text(f"#!{sys.executable} -S\n{SECURITY.format(file=str(directory / 'keychain.json'))}")
    security.chmod(0o755)
    monkeypatch.setattr(macOS, "api", api, raising=False)
    monkeypatch.setattr(keychain, "SECURITY", str(security))
    monkeypatch.setattr("sys.platform", "darwin")
    before = keyring.get_keyring()
    monkeypatch.setattr("keyring.core._keyring_backend", before, raising=False)
    keyring.set_keyring(macOS.Keyring())
    return found
