"""Directories of its own for each test, and a keyring that works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.config.paths import Paths, paths
from tests.desktop.keyrings import MemoryKeyring, installed


@pytest.fixture(autouse=True)
def without_the_developers_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring that is configured in the environment is not searched for."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def places(tmp_path: Path) -> Paths:
    return paths({"OPENBALANCE_STATE_DIR": str(tmp_path / "state"), "OPENBALANCE_RUNTIME_DIR": str(tmp_path / "run")})


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with installed(backend):
        yield backend
