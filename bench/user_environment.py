"""An environment for the whole command: configuration, folders, a key, and a local OpenRouter that accepts the key."""

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount


def free_port() -> int:
    """Return a port of this machine that no program uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def accounts(count: int, key: str) -> tuple[str, Mapping[str, str]]:
    """Return the configuration of so many accounts with one key, and their environment variables."""
    names = [f"a{number:03d}" for number in range(1, count)]  # beside the default one
    config = "".join(f"[accounts.{name}]\n" for name in names)
    return config, {f"OPENROUTER_MANAGEMENT_KEY_{name.upper()}": key for name in names}


@contextmanager
def user_environment(config: str = "") -> Iterator[Mapping[str, str]]:
    """Yield the environment variables. `config`: text of the configuration file; the account is the usual sample."""
    with SampleAccount() as sample, environment_for(sample, config) as env:
        yield env


@contextmanager
def environment_for(sample: SampleAccount, config: str = "") -> Iterator[Mapping[str, str]]:
    """Yield the same for an account that runs already."""
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        file = Path(
            folder, "config", "openbalance-hid", "config.toml"
        )  # the parent folder is watched, too, and must be private
        file.parent.mkdir(parents=True)
        file.write_text(config, encoding="utf-8")
        yield {
            "OPENBALANCE_CONFIG": str(file),
            "OPENBALANCE_STATE_DIR": str(Path(folder, "state")),
            "OPENBALANCE_RUNTIME_DIR": str(Path(folder, "run")),
            "OPENBALANCE_API_URL": sample.url,
            "OPENROUTER_MANAGEMENT_KEY": sample.key,
        }
