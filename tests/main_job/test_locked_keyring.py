"""A keyring that waits for its password in a window without a user: the daemon runs, reports it, and stops on request."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from openbalance_hid.config.paths import paths
from openbalance_hid.desktop.credentials import KeyStore, store_key
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.desktop.keyrings import installed
from tests.desktop.secret_service import LIMIT_S, gnome_keyring, lock, silent_prompter
from tests.main_job.daemon_process import environment, page_of, started
from tests.private_bus import needs_dbus, private_bus

pytest.importorskip("secretstorage", reason="the Secret Service is Linux's")


@needs_dbus
@pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the library leaves it to the collector
def test_a_keyring_that_prompts_holds_neither_the_deck_nor_the_end_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from keyring.backends import SecretService

    with private_bus(tmp_path) as address, SampleAccount() as sample:
        env = environment(
            tmp_path,
            OPENBALANCE_API_URL=sample.url,
            DBUS_SESSION_BUS_ADDRESS=address,
            PYTHON_KEYRING_BACKEND="keyring.backends.SecretService.Keyring",
        )
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with gnome_keyring(address, tmp_path), silent_prompter(address):
            with installed(SecretService.Keyring()):
                store_key("default", Secret(sample.key), KeyStore.KEYRING, paths(env), LIMIT_S)
            lock()
            with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
                page.until_key(0, "Preparing")
                assert running.status()["accounts"]["default"]["health"] == "preparing", "it answers while the keyring does not"
                page.until_key(0, "Set up")
                assert "waiting for its password" in running.status()["accounts"]["default"]["message"]
                assert running.end() == 0
    assert sample.requests == []
    gc.collect()
