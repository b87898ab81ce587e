"""A user for the whole command: a configuration, places of its own, a key, and a local OpenRouter that knows the key."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount


@contextmanager
def owner(config: str = "") -> Iterator[Mapping[str, str]]:
    """The environment of that user's commands. `config`: text of the configuration file; the account is the ordinary one."""
    with SampleAccount() as sample, owner_of(sample, config) as env:
        yield env


@contextmanager
def owner_of(sample: SampleAccount, config: str = "") -> Iterator[Mapping[str, str]]:
    """As `owner`, with an account that runs already."""
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        file = Path(
            folder, "config", "openbalance-hid", "config.toml"
        )  # its directory's directory is watched, too: nobody else's
        file.parent.mkdir(parents=True)
        file.write_text(config, encoding="utf-8")
        yield {
            "OPENBALANCE_CONFIG": str(file),
            "OPENBALANCE_STATE_DIR": str(Path(folder, "state")),
            "OPENBALANCE_RUNTIME_DIR": str(Path(folder, "run")),
            "OPENBALANCE_API_URL": sample.url,
            "OPENROUTER_MANAGEMENT_KEY": sample.key,
        }
