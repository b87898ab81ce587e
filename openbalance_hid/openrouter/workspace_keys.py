"""The API keys of all workspaces: which workspaces are requested when, and one list of all keys.

The schedule of the whole is in `secondary_endpoints`, and the form of the answers in `list_replies`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from openbalance_hid.account.endpoints import WORKSPACES_A_ROUND
from openbalance_hid.account.key_spend import without_ended_periods
from openbalance_hid.account.snapshot import ApiKey
from openbalance_hid.errors import ApiError, ForbiddenError, ServerError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.list_replies import Workspace, with_unique_names
from openbalance_hid.text import single_line

WORKSPACES_GAP = timedelta(days=7)  # they rarely change
NOT_FOUND = 404  # HTTP
_NEVER = datetime.min.replace(tzinfo=UTC)


class WorkspaceKeys:
    """The workspaces of one account. For one thread; every `now` is in the server's time."""

    def __init__(self) -> None:
        self._workspaces: tuple[Workspace, ...] = ()  # as of the last good answer
        self._listed_at: datetime | None = None
        self._read_at: dict[str, datetime] = {}  # by workspace name: when its keys were read
        self._refused: dict[str, str] = {}  # by workspace name: why its keys could not be read
        self._unlisted = ""  # why the workspaces could not be listed

    @property
    def missing(self) -> str:
        """Why keys may not be in the list, in words; empty: all of them are."""
        if self._refused:
            names = ", ".join(map(single_line, self._refused))
            return f"without the workspace {names}: {next(iter(self._refused.values()))}"
        known = "known workspaces" if self._workspaces else "default workspace"
        return f"of the {known} only: {self._unlisted}" if self._unlisted else ""

    def list_workspaces(self, client: Client, now: datetime, insist: bool) -> None:
        """Request the workspaces if that is due. If it fails, the workspaces of before are used."""
        if not insist and self._listed_at is not None and timedelta(0) <= now - self._listed_at < WORKSPACES_GAP:
            self._unlisted = ""
            return
        try:
            self._workspaces = client.workspaces()
        except ApiError as error:
            self._unlisted = error.message
            return
        self._listed_at, self._unlisted = now, ""

    def request_keys(self, client: Client, known: tuple[ApiKey, ...], now: datetime, of_all: bool) -> tuple[ApiKey, ...]:
        """Return the keys of all workspaces. A workspace that refuses its keys keeps the others.

        `known`: the keys of the last answer. Unless `of_all`, of many workspaces some are requested, in turn: the keys of the
        others are those of before.
        """
        due = self._workspaces if of_all else self._next_in_turn()
        keys = self._kept(known, {each.name for each in self._workspaces} - {each.name for each in due}, now)
        names = {each.name for each in self._workspaces} or {""}
        self._refused = {name: words for name, words in self._refused.items() if name in names}
        refusal: ApiError | None = None
        for workspace in due or (None,):
            name = workspace.name if workspace is not None else ""
            try:
                keys += client.keys(workspace, {key.hash for key in known if key.workspace == name})
                self._read_at[name] = now
                self._refused.pop(name, None)
            except (ForbiddenError, ServerError) as error:
                if isinstance(error, ServerError) and error.status != NOT_FOUND:  # it was deleted since it was listed
                    raise
                refusal, self._refused[name] = error, error.message
        if refusal is not None and not keys:
            raise refusal
        return with_unique_names(keys)

    def _next_in_turn(self) -> tuple[Workspace, ...]:
        """Return the workspaces of a round: those whose keys were not read for the longest time."""
        in_turn = sorted(self._workspaces, key=lambda each: self._read_at.get(each.name, _NEVER))
        return tuple(in_turn[:WORKSPACES_A_ROUND])

    def _kept(self, known: tuple[ApiKey, ...], workspaces: set[str], now: datetime) -> list[ApiKey]:
        return [
            replace(without_ended_periods(key, read_at, now), name=key.given_name)
            for key in known
            if key.workspace in workspaces and (read_at := self._read_at.get(key.workspace)) is not None
        ]
