"""The demo: the daemon on a virtual deck with a sample account on this machine."""

from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.config.default_layout import DEFAULT_ORDER
from openbalance_hid.config.load import load_config
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
from openbalance_hid.runtime.children import Children
from openbalance_hid.runtime.main import Daemon, RunOptions
from openbalance_hid.secret import Secret
from openbalance_hid.tiles import TILES

CLOCK, CLOCK_S = ("/bin/date", "+%H:%M%n%a %d %b"), 10  # of a command tile; every system has this program
BUDGET_USD = Decimal(100)  # a usual month of the sample account is some $70


def run_demo(options: RunOptions, scenario: str) -> None:
    """Run the daemon on a virtual deck with a sample account on this machine. No key of the user is used.

    The first deck of the configuration file is shown, if there is one.
    """
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

    own = load_config(options.paths.config_file) if options.paths.config_file.exists() else None
    with SampleAccount(scenario) as sample:
        config = demo_config(options.virtual, sample.alerts_url) if own is None else sampled(own, sample.alerts_url)
        Daemon(options, config, lambda _: Client(Secret(sample.key), sample.url), Children(), sample).run()


def demo_config(models: tuple[str, ...], alerts_url: str) -> Config:
    """Return the configuration of a demo: a local sink; where there is room, a clock, a budget and a tile that stops "ci"."""
    from openbalance_hid.simulator.device.models import model_named

    keys = min((model.cols * model.rows for model in map(model_named, models)), default=0)
    switch = TileConfig("key-switch", options=FrozenMap({"key_name": "ci", "key_hash": None}))
    budget = TileConfig("budget", options=FrozenMap(TILES["budget"].defaults()))
    options = {**TILES["command"].defaults(), "show": CLOCK, "every_seconds": CLOCK_S}
    clock = TileConfig("command", label="Clock", options=FrozenMap(options))
    free = keys - len(DEFAULT_ORDER)
    page = PageConfig(
        FIRST_PAGE,
        FrozenMap(({keys - 3: clock} if free > 2 else {}) | ({keys - 2: budget, keys - 1: switch} if free > 1 else {})),
    )
    account = AccountConfig(refresh_minutes=1, allow_key_switch=True, budget_usd=BUDGET_USD)
    accounts = FrozenMap({DEFAULT_ACCOUNT: account})
    return Config(refresh_minutes=1, accounts=accounts, decks=(DeckConfig(pages=(page,)),), alerts=(AlertSink(alerts_url),))


def sampled(config: Config, alerts_url: str) -> Config:
    """Return a user's configuration for the sample account: with its deck and accounts, without what leads elsewhere."""
    accounts = {name: replace(account, source=None, refresh_minutes=1) for name, account in config.accounts.items()}
    return replace(
        config,
        refresh_minutes=1,
        accounts=FrozenMap(accounts),
        decks=tuple(replace(deck, serial=None, use=True) for deck in config.decks[:1]),
        use_decks="all",
        alerts=(AlertSink(alerts_url),),
        publish=None,
        metrics=None,
        ca_file=None,
    )
