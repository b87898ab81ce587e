"""The demo: the daemon on a virtual deck with a sample account on this machine."""

from openbalance_hid.config.default_layout import DEFAULT_ORDER
from openbalance_hid.config.schema import (
    DEFAULT_ACCOUNT,
    FIRST_PAGE,
    AccountConfig,
    AlertSink,
    Config,
    DeckConfig,
    FrozenMap,
    PageConfig,
    TileConfig,
)
from openbalance_hid.openrouter.client import Client
from openbalance_hid.runtime.main import Daemon, RunOptions
from openbalance_hid.secret import Secret


def run_demo(options: RunOptions, scenario: str) -> None:
    """Run the daemon on a virtual deck with a sample account on this machine. No file or key of the user is used."""
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

    with SampleAccount(scenario) as sample:
        config = demo_config(options.virtual, sample.alerts_url)
        Daemon(options, config, lambda _: Client(Secret(sample.key), sample.url), sample).run()


def demo_config(models: tuple[str, ...], alerts_url: str) -> Config:
    """Return the configuration of a demo: on a deck with room also a tile that stops the sample key "ci"; a local sink."""
    from openbalance_hid.simulator.device.models import model_named

    keys = min((model.cols * model.rows for model in map(model_named, models)), default=0)
    switch = TileConfig("key-switch", options=FrozenMap({"key_name": "ci", "key_hash": None}))
    page = PageConfig(FIRST_PAGE, FrozenMap({keys - 1: switch} if keys > len(DEFAULT_ORDER) else {}))
    accounts = FrozenMap({DEFAULT_ACCOUNT: AccountConfig(refresh_minutes=1, allow_key_switch=True)})
    return Config(refresh_minutes=1, accounts=accounts, decks=(DeckConfig(pages=(page,)),), alerts=(AlertSink(alerts_url),))
