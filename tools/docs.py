"""Render the parts of `docs/` that come from the code: tiles, configuration, commands, words on keys, decks.

A rendered part stands between `<!-- rendered: NAME -->` and `<!-- end of NAME -->` in a page. `tools.render` writes the pages;
a test fails when one is stale.
"""

import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import click

from openbalance_hid.cli import main as program
from openbalance_hid.deck.products import NAMES, product_ids
from openbalance_hid.hints import HINTS
from openbalance_hid.simulator.device.models import MODELS, DeckModel
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.actions import OpenPage
from openbalance_hid.tiles.kind import TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.states import ORIGIN_PROBLEMS, STATES, WRONG_CLOCK

DOCS = Path(__file__).parents[1] / "docs"
ELGATO = 0x0FD9

# Words on a key -> what they mean, and what to do. The words of `tiles.states.STATES` are rendered first, in its order.
STATES_ON_KEYS = (*STATES.values(), WRONG_CLOCK, *ORIGIN_PROBLEMS.values())
WORDS_ON_KEYS = {
    "Preparing…": ("nothing is known yet", "wait; after a minute the key shows the real reason"),
    "Set up": ("no key is stored for this account", "`openbalance-hid setup`; a tap opens the page where keys are made"),
    "Not a Management key": ("the key works, but is an inference key", "create a Management key, then `openbalance-hid setup`"),
    "Key rejected": (
        "OpenRouter refused the key twice, half a minute apart",
        "check that the key still exists, then `openbalance-hid setup`",
    ),
    "Offline": ("openrouter.ai cannot be reached", "check network, VPN and proxy; hold any key to retry"),
    "Clock?": (
        "the certificate of OpenRouter is not valid on the date of this machine",
        "set the clock; `openbalance-hid doctor`",
    ),
    "Slow down": ("OpenRouter limits the request rate", "nothing: the next poll waits as long as OpenRouter requires"),
    "API error": ("OpenRouter has an outage or sent an invalid answer", "nothing"),
    "Newer format": ("the machine that publishes this account has a newer version", "update openbalance-hid on this machine"),
    "Older format": ("the machine that publishes this account has an older version", "update openbalance-hid there"),
    "Not a snapshot": (
        "another program publishes to the topic of this account",
        "compare `source` with `[publish]` of the other machine; `openbalance-hid doctor`",
    ),
    "Not published": (
        "the machine that publishes this account does not read its quota of free models",
        "put a `free-quota` tile on a deck of that machine",
    ),
    "No limit": ("the budget tile has no limit", "set `limit_usd` of the tile, or `budget_usd` of the account"),
    "No activity yet": ("no requests in 30 days", "–"),
    "No spend yet": ("nothing was charged: free models and own-key (BYOK) requests cost no credits", "–"),
    "Low balance": ("the balance lasts less than 7 days at the present pace", "buy credits"),
    "Very low balance": ("the balance lasts less than 2 days at the present pace", "buy credits"),
    "Spike": ("much more is spent than usual, by the default rule of `spike-alert`", "a tap opens the activity"),
    "Critical": ("many times more is spent than usual", "a tap opens the activity"),
    "Below zero": ("more was used than was bought", "buy credits: a tap on the balance opens the page"),
    "No keys yet": ("the account has no inference key", "–"),
    "No such key": ("no key has the name in `key_name` of the tile", "look up the name on the page that a tap opens"),
    "Key not read": ("the keys of a workspace could not be read, perhaps this one", "`openbalance-hid keys` says why"),
    "Gathering baseline": ("the spike alert needs three days with spend first", "–"),
    "Starting…": ("the program of a command tile runs for the first time", "wait"),
    "Not run yet": ("the program of a command tile has not run yet", "wait; a hold runs it now"),
    "No output": ("the program of a command tile printed nothing", "–"),
    "Not found": ("the program of a command tile does not exist", "correct its path: `openbalance-hid config edit`"),
    "Refused": ("another user could change the program of a command tile", "`openbalance-hid status` names the file to change"),
    "Cannot start": (
        "the program of a command tile is not executable, or the system refused it",
        "`openbalance-hid status` has the reason",
    ),
    "Too slow": ("the program of a command tile did not end in time", "make it faster, or raise `limit_seconds`"),
    "Too long": (
        "a program printed JSON of more than 4096 bytes, or one that keeps printing printed such a line",
        "print less, for example a shorter `tooltip`",
    ),
    "Ended": ("a program that should keep printing has ended; it is started again", "–"),
    "Exit": ("the program of a command tile failed with this exit code", "run it in a terminal"),
    "Signal": ("the program of a command tile was ended by this signal", "run it in a terminal"),
    "Tile error": ("a bug in one tile; the others go on", "report it, with the traceback in the log"),
    "Alert": (
        "the notification of this alert may not have been shown; a press on the deck removes the sign",
        "`openbalance-hid alerts`",
    ),
    "Not loaded": ("a tile of another package cannot be imported", "`openbalance-hid doctor` has the reason"),
    "Wrong version": ("a tile of another package is for another version of this program", "upgrade the package"),
    "Same name twice": (
        "two packages offer a tile of this name",
        'write `tile = "PACKAGE:NAME"`; `openbalance-hid tiles` lists them',
    ),
    "Bad content": (
        "a tile of another package returned something that cannot be shown",
        "`openbalance-hid doctor` has the reason",
    ),
    "No answer": (
        "a tile of another package has not answered for 2 s",
        "wait, or take it off the deck and restart; `openbalance-hid doctor` names it",
    ),
    "Config error": (
        "the changed file has an error; the previous configuration stays in use",
        "`openbalance-hid config check`",
    ),
}


def rendered_pages() -> dict[str, str]:
    """Return the text of every page that has a rendered part, by its path in the repository."""
    pages = {}
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if "<!-- rendered: " in text:
            pages[f"docs/{path.relative_to(DOCS)}"] = _with_parts(text)
    return pages


def _with_parts(text: str) -> str:
    def part(found: re.Match[str]) -> str:
        name = found[1]
        body = "\n".join(PARTS[name]()).strip()
        return f"<!-- rendered: {name} -->\n\n{body}\n\n<!-- end of {name} -->"

    return re.sub(r"<!-- rendered: ([\w-]+) -->.*?<!-- end of \1 -->", part, text, flags=re.DOTALL)


EXAMPLES = {  # for the names in hints
    "path": "PATH",
    "account": "ACCOUNT",
    "pid": "PROCESS",
    "address": "mqtts://broker.example",
    "app": "Elgato Stream Deck",
    "name": "EDITOR",
    "model": "mk2",
    "command": "preview",
    "program": "journalctl --user",
    "install": "sudo apt install",
    "package": "dunst",
}


def hints_table() -> str:
    """Return the table of troubles, places and hints as Markdown: one row for each hint of a trouble."""
    rows = ["| what is wrong | where it is reported | command that helps |", "|---|---|---|"]
    for trouble, places in HINTS.items():
        for command in dict.fromkeys(places.values()):
            where = ", ".join(
                f"`{place}`" if place != "the key" else place for place, each in places.items() if each == command
            )
            rows.append(
                f"| {trouble} | {where} | {f'`{command.format(**EXAMPLES)}`' if command else 'wait: it is tried again'} |"
            )
    return "\n".join(rows)


def explained_words() -> dict[str, tuple[str, str]]:
    """Return every row of the table of words: the words, with their short form, then meaning and remedy."""
    first = [state.words for state in STATES_ON_KEYS]
    order = [*first, *(words for words in WORDS_ON_KEYS if words not in first)]
    return {words: WORDS_ON_KEYS[words] for words in order}


def _words() -> Iterator[str]:
    short = {state.words: state.short for state in STATES_ON_KEYS if state.short}
    yield from ("| words on the key | meaning | what to do |", "|---|---|---|")
    for words, (meaning, remedy) in explained_words().items():
        names = f"`{words}`" + (f", `{short[words]}`" if words in short else "")
        yield f"| {names} | {meaning} | {remedy} |"


def _tiles() -> Iterator[str]:
    for kind in TILES.values():
        yield from _tile(kind)


def _tile(kind: TileKind) -> Iterator[str]:
    yield f"### `{kind.name}`"
    yield ""
    yield f"{kind.help[:1].upper()}{kind.help[1:]}. {_tap(kind)}"
    yield ""
    if kind.options:
        yield from ("| option | accepts | default | meaning |", "|---|---|---|---|")
        yield from (_option(option) for option in kind.options)
        yield ""


def _tap(kind: TileKind) -> str:
    match kind.tap:
        case OpenPage(page):
            return f"A tap opens <{page.value}>."
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(kind.tap).__name__).lower()
    return "A tap does nothing." if words == "nothing" else f"Tap: {words}."


def _option(option: Option) -> str:
    default = (
        "–"
        if option.default is None
        else f"`{str(option.default).lower() if isinstance(option.default, bool) else option.default}`"
    )
    accepted = _cell(option.accepted.replace("'", "`"))
    return f"| `{option.name}` | {accepted} | {default} | {_cell(option.help)} |"


def _cell(text: str) -> str:
    """Return the text for a cell of a table."""
    return text.replace("|", "\\|")


def _configuration() -> Iterator[str]:
    text = resources.files("openbalance_hid.config").joinpath("default.toml").read_text(encoding="utf-8")
    yield from ("```toml", text.rstrip(), "```")


def _commands() -> Iterator[str]:
    context = click.Context(program, info_name="openbalance-hid", **program.context_settings)
    for path, command in _each_command(program, context, ()):
        name = " ".join(("openbalance-hid", *path))
        own = click.Context(command, info_name=name, help_option_names=context.help_option_names)  # click keeps the first ones
        yield f"### `{' '.join(path)}`"
        yield ""
        yield from ("```text", command.get_help(own), "```")
        yield ""


def _each_command(
    group: click.Group, above: click.Context, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        if command.hidden:
            continue
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _each_command(command, click.Context(command, info_name=name, parent=above), (*path, name))


def _decks() -> Iterator[str]:
    simulated = {model.product_id: model for model in MODELS.values()}
    yield from ("| deck | USB id | keys | key image | simulated |", "|---|---|---|---|---|")
    for product_id in sorted({product for vendor, product in product_ids() if vendor == ELGATO}):
        slug, title = NAMES.get(product_id, ("", "not named by this project"))
        yield f"| {title} | `0fd9:{product_id:04x}` | {_deck(simulated.get(product_id), slug)} |"


def _deck(model: DeckModel | None, slug: str) -> str:
    if model is None:
        return "as the library says | as the library says | –"
    size = f"{model.key_width} × {model.key_height} px" if model.key_width else "no display"
    return f"{model.keys} | {size} | `{slug}`"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "hints": lambda: hints_table().splitlines(),
    "words": _words,
    "tiles": _tiles,
    "configuration": _configuration,
    "commands": _commands,
    "decks": _decks,
}
