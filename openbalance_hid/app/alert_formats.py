"""The body of an alert message for each kind of address: ntfy, Slack, Discord, Gotify, and plain JSON. Pure.

Sources: docs.ntfy.sh/publish (JSON to the root of the server), api.slack.com/messaging/webhooks,
discord.com/developers/docs/resources/webhook, gotify.net/docs/pushmsg. Every name in a message may come from OpenRouter, so
nothing in it may become a mention or a link.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from openbalance_hid.account.alert_notice import AlertNotice, AlertStage

_Body = Mapping[str, Any]


def post_of(style: str, target: str, notice: AlertNotice) -> tuple[str, bytes]:
    """Return path and body of the request. `target`: path and query of the configured address."""
    path, body = _FORMATS[style](target, notice)
    return path, msgspec.json.encode(body)


def _json(target: str, notice: AlertNotice) -> tuple[str, _Body]:
    return target, notice.as_json()


def _ntfy(target: str, notice: AlertNotice) -> tuple[str, _Body]:
    """JSON goes to the address without its last part, which is the topic."""
    path, mark, query = target.partition("?")
    root, _, topic = path.rstrip("/").rpartition("/")
    tag = "white_check_mark" if notice.stage is AlertStage.ENDED else "rotating_light" if notice.urgent else "warning"
    priority = 5 if notice.urgent else 3
    content = {"topic": topic, "title": notice.title, "message": notice.text, "priority": priority, "tags": [tag]}
    return f"{root}/{mark}{query}", content


def _slack(target: str, notice: AlertNotice) -> tuple[str, _Body]:
    text = f"{notice.title}\n{notice.text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return target, {"text": text, "mrkdwn": False}


def _discord(target: str, notice: AlertNotice) -> tuple[str, _Body]:
    embed = {"title": _unmarked(notice.title)[:256], "description": _unmarked(notice.text)[:2000]}
    return target, {"username": "openbalance-hid", "embeds": [embed], "allowed_mentions": {"parse": []}}


def _gotify(target: str, notice: AlertNotice) -> tuple[str, _Body]:
    return target, {"title": notice.title, "message": notice.text, "priority": 8 if notice.urgent else 5}


def _unmarked(text: str) -> str:
    """Return text whose Markdown is shown as it is."""
    return "".join(f"\\{char}" if char in "\\*_~`|>[]()<#@" else char for char in text)


_FORMATS: Mapping[str, Callable[[str, AlertNotice], tuple[str, _Body]]] = {
    "json": _json,
    "ntfy": _ntfy,
    "slack": _slack,
    "discord": _discord,
    "gotify": _gotify,
}
