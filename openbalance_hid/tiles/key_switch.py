"""`key-switch`: one API key: its name, spend today, limit, and whether it is on or off. A hold disables or enables it.

    key_name      the name of the key, as `openbalance-hid keys` shows it; one of the two is required
    key_hash      its hash: it stays the same when the key is renamed

A hold takes 2 s at least. It does something only with `allow_key_switch = true` for the account: it disables a key that is on,
and enables one that is off. Until OpenRouter has confirmed that, the tile shows `Stopping…` or `Starting…`. An old state is
read first. A tap opens the keys page.
"""

from datetime import timedelta

from msgspec.structs import replace

from openbalance_hid.account.key_switching import KeySwitch, SwitchStage, named_keys
from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import key_titles
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import (
    TileState,
    absent_key,
    age_text,
    notice_view,
    plain_notice,
    shown_age,
    trouble,
    value_view,
)
from openbalance_hid.tiles.view import Age, Block, Hero, Icon, Line, Shorten, TileView, Tone

LEAST_HOLD_S = 2.0  # a shorter press must not stop a program that works
SHOWN_FOR = timedelta(minutes=10)  # how long the tile says that a switch failed
FAILURES = {  # words on the tile, longest first
    SwitchStage.NOT_SENT: ("Not sent", "Not sent"),
    SwitchStage.FAILED: ("Refused", "Refused"),
    SwitchStage.FORBIDDEN: ("Management key", "Mgmt key"),
}


def view(scene: Scene) -> TileView:
    """Return the state of the key, or why it is not known."""
    reading = scene.snapshot.keys
    name, key_hash = scene.options["key_name"], scene.options["key_hash"]
    title = scene.label or single_line(str(name or "Key"))
    if reading.value is None:
        return notice_view(scene, title, trouble(scene, reading))
    found = named_keys(reading.value, _text(name), _text(key_hash))
    if not found:
        return plain_notice(scene, title, absent_key(reading))
    if len(found) > 1:
        several = plain_notice(scene, title, TileState(f"{len(found)} such keys", Icon.KEY, Tone.WARN, "name one"))
        candidates = ", ".join(single_line(key.name) for key in found)
        return replace(several, text=f"{title}: {len(found)} keys have this name: {candidates}; name one of them")
    return _one(scene, scene.label or single_line(found[0].name), found[0])


def target(snapshot: Snapshot, name: object, key_hash: object) -> ApiKey | None:
    """Return the key that a hold switches; None without exactly one, or if it has expired."""
    found = named_keys(snapshot.keys.value or (), _text(name), _text(key_hash))
    return found[0] if len(found) == 1 and not found[0].expired else None


def _one(scene: Scene, title: str, key: ApiKey) -> TileView:
    switch = scene.switches.get(key.hash)
    read_at = scene.snapshot.keys.measured_at
    if switch is not None and switch.stage in (SwitchStage.UNKNOWN, SwitchStage.GONE) and _is_listed_since(scene, switch):
        switch = None
    if switch is not None and switch.disabled is not None and switch.ended_at is not None:
        read_at = max(switch.ended_at, read_at or switch.ended_at)
    hero, state = _state(key, switch)
    spend = shown_spend = _spend(scene, key)
    if shown_age(scene.snapshot, read_at, scene.now) is Age.STALE:  # a state that may have changed since has no colour
        hero = replace(hero, tone=Tone.MUTED)
        shown_spend = Line(age_text(scene.snapshot, read_at, scene.now)) if read_at is not None else spend
    hold = _hold(scene, key, switch)
    problem = _problem(scene, switch)
    blocks: tuple[Block, ...] = (hero, problem or shown_spend, *(() if hold is None else (hold,)))
    health = trouble(scene, scene.snapshot.keys)
    short = () if scene.label else key_titles(scene.snapshot, title)
    text: list[str | Line | None] = [f"{title}: {state}", spend, problem, hold]
    return value_view(scene, title, blocks, text, read_at, trouble=health, short_titles=short)


def _state(key: ApiKey, switch: KeySwitch | None) -> tuple[Hero, str]:
    """Return the state on the key, and in words."""
    if switch is not None and switch.stage is SwitchStage.PENDING:
        word = "Stopping…" if switch.disables else "Starting…"
        return Hero(word, Tone.WARN), f"{word}, not confirmed yet"
    if switch is not None and switch.stage is SwitchStage.UNKNOWN:
        return Hero("Unknown", Tone.WARN, Icon.WARNING), "unknown whether it is on or off"
    if switch is not None and switch.stage is SwitchStage.GONE:
        return Hero("Gone", Tone.WARN, Icon.WARNING), "there is no such key any more"
    if key.expired:
        return Hero("Expired", Tone.MUTED, Icon.CLOCK), "expired"
    if key.disabled:
        return Hero("OFF", Tone.ALARM, Icon.STOP), "off: disabled"
    return Hero("ON", Tone.GOOD, Icon.CHECK), "on"


def _is_listed_since(scene: Scene, switch: KeySwitch) -> bool:
    """Return whether the list of keys is newer than the end of a switch."""
    read_at = scene.snapshot.keys.measured_at
    return switch.ended_at is not None and read_at is not None and read_at > switch.ended_at


def _problem(scene: Scene, switch: KeySwitch | None) -> Line | None:
    """Return why the last switch did nothing, for a while."""
    if switch is None or switch.ended_at is None or scene.now - switch.ended_at > SHOWN_FOR or switch.stage not in FAILURES:
        return None
    long, short = FAILURES[switch.stage]
    return Line(long, Tone.WARN, Icon.WARNING, variants=(short,))


def _hold(scene: Scene, key: ApiKey, switch: KeySwitch | None) -> Line | None:
    """Return what a hold does."""
    if switch is not None and switch.stage in (SwitchStage.PENDING, SwitchStage.GONE):
        return None
    if not scene.may_switch:
        return Line("view only", Tone.MUTED)
    if key.expired:
        return None
    return Line("Hold to start" if key.disabled else "Hold to stop", Tone.ACCENT)


def _spend(scene: Scene, key: ApiKey) -> Line:
    """Return what the key has spent today, and its limit."""
    read_at = scene.snapshot.keys.measured_at
    is_today = read_at is not None and utc_now(scene.snapshot, read_at).date() == utc_now(scene.snapshot, scene.now).date()
    today = f"{words.money(key.today_usd if is_today else None)} today"
    if key.limit_usd is None:
        return Line(today, Tone.INK)
    return Line(f"{today}, limit {words.money(key.limit_usd)}", Tone.INK, shorten=Shorten.END, variants=(today,))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    laptop = {"key_name": "laptop"}
    asked = KeySwitch("default", "laptop", "laptop", True, "deck", CASE_TIME - timedelta(seconds=5))
    off = replace(asked, stage=SwitchStage.DONE, disabled=True, ended_at=CASE_TIME)
    return (
        TileCase("on", options=laptop),
        TileCase("on, limit", options={"key_name": "ci"}),
        TileCase("view only", options=laptop, may_switch=False),
        TileCase("stopping", options=laptop, switch=asked),
        TileCase("off", options=laptop, switch=off),
        TileCase("starting", options=laptop, switch=replace(asked, disables=False)),
        TileCase("refused", options=laptop, switch=replace(off, stage=SwitchStage.FAILED, disabled=False)),
        TileCase("not sent", options=laptop, switch=replace(off, stage=SwitchStage.NOT_SENT, disabled=None)),
        TileCase("unknown", options=laptop, switch=replace(off, stage=SwitchStage.UNKNOWN, disabled=None)),
        TileCase("gone", options=laptop, switch=replace(off, stage=SwitchStage.GONE, disabled=None)),
        TileCase("no such key", options={"key_name": "nothing"}),
        TileCase("none", CaseAccount(days=(), has_api_keys=False), options=laptop),
    )


KIND = TileKind(
    "key-switch",
    "one API key, on or off: a hold disables or enables it",
    view,
    OpenPage(WebPage.KEYS),
    (
        Option("key_name", "text", None, minimum=1, maximum=300, help="the key's name, or:"),
        Option("key_hash", "text", None, minimum=8, maximum=300, help="its hash, which a new name does not change"),
    ),
    cases=cases,
    case_options={"key_name": "laptop"},
)
