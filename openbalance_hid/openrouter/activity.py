"""The reply of `GET /activity`: bytes in, completed days out. Pure. An organisation's reply has up to 200,000 rows.

It is read in pieces while it arrives: the whole rows of a piece are decoded and added up, and nothing is kept of them but the
sums and a hash of each row, so that memory is bounded and no piece keeps other threads waiting. Nearly all rows have the
documented types; a piece with others (counts as text, null for no charge) is decoded row by row. Dates and names are checked
once for each group, not for each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal, DecimalException, localcontext
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.snapshot import Activity, Spend
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.replies import (
    BEYOND,
    BOUNDED,
    LARGEST_EXPONENT,
    Rows,
    bounded,
    day_of,
    decoded,
    name_of,
    optional_usd,
    whole,
)

_NOTHING = Decimal(0)
_LOWEST, _HIGHEST = Decimal(-BEYOND), Decimal(BEYOND)
_LONGEST_SPAN = timedelta(days=62)  # a reply has 30 days before today, and a wrong year must not add years

_HEAD = re.compile(rb'\s*\{\s*(?:"\w*"\s*:\s*(?:\w+|-?[0-9.]+|"[^"\\]*")\s*,\s*)*"data"\s*:\s*\[')
_HEAD_BYTES = 4096  # in which the list of rows has started
_LONGEST_ROW_BYTES = 4 * 1024 * 1024  # three names of a megabyte each are a row; more is none
_LONG_ROW_BYTES = 1024 * 1024  # from here on, every try to find the end takes long
_ENDS_TRIED = 8  # a brace may end a part of a row, or be in a name
_MOST_DROPPED = 200_000  # rows: as many as a reply may have; each takes some microseconds
_PIECE_BYTES = 65_536  # as `http` reads them
_SPACE = b" \t\r\n,"

_NOT_READ = (msgspec.MsgspecError, ValueError, RecursionError)

_Count = Annotated[int, Meta(gt=-BEYOND, lt=BEYOND)]


class RowList(Struct):
    """The rows of a reply, each still as JSON text."""

    data: list[Raw]


class _Row(Struct, frozen=True, gc=False, kw_only=True):
    """Day × model × endpoint. Fields in the order of the reply, so that the decoder finds each without a search.

    Only what is added up: each further text costs a millisecond in a large reply.
    """

    date: str
    model: Annotated[str, Meta(min_length=1)]
    endpoint_id: str = ""
    provider_name: str = ""
    usage: Decimal
    byok_usage_inference: Decimal | UnsetType | None = UNSET  # null is 0; UNSET is unknown
    requests: _Count = 0
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0


class _LooseRow(Struct):
    date: str
    usage: Decimal | None
    model: str | None = None
    model_permaslug: str | None = None
    endpoint_id: str | None = None
    provider_name: str | None = None
    byok_usage_inference: Raw = Raw()
    requests: Decimal | None = None
    prompt_tokens: Decimal | None = None
    completion_tokens: Decimal | None = None


# Lists, not classes: the interpreter changes their items faster, and a large reply changes a million.
_Sum = list[Any]  # USD, requests, tokens, own-key inference: the fields of `Spend`
# Sums by model, sums by provider, number of rows; and by hash of a row with an endpoint, without its amount, its first amount.
_Day = list[Any]

read_row = msgspec.json.Decoder(_Row).decode
_read_rows = msgspec.json.Decoder(list[_Row]).decode
_split_rows = msgspec.json.Decoder(list[Raw]).decode


def to_activity(body: bytes, today: date) -> Rows[Activity]:
    """Return the activity of a whole reply. See `ActivityReader`."""
    reader = ActivityReader()
    for start in range(0, len(body), _PIECE_BYTES):
        reader.feed(body[start : start + _PIECE_BYTES])
    return reader.finish(today)


class ActivityReader:
    """Adds up a reply that arrives in pieces. ServerError for one that is not JSON, or has no row that can be read.

    Own-key inference is a sum of its own. No sum includes reasoning and cached tokens, which are parts of the others. A
    repeated row counts once: an endpoint has one row a day.
    """

    def __init__(self, masked: Callable[[bytes], bytes] = lambda text: text) -> None:
        """`masked` is applied to the text of rows before anything is read from it."""
        self._masked = masked
        self._waiting = b""  # what has not been read
        self._in_rows = self._is_other = False  # the list of rows has started; the reply has another form
        self._days: dict[str, _Day] = {}  # by date as written
        self._others: set[tuple[str | None, int, Decimal]] = set()  # further amounts of a row
        self._dropped = 0
        self._error: ServerError | None = None  # of the first row that cannot be read

    def feed(self, piece: bytes) -> None:
        """Read the rows that are whole with this piece."""
        if self._in_rows:
            self._take_whole_rows(piece if self._waiting else piece.lstrip(_SPACE))
        else:
            self._waiting += piece
            head = _HEAD.match(self._waiting) if not self._is_other else None
            self._is_other = head is None and len(self._waiting) >= _HEAD_BYTES
            if head is not None:
                self._in_rows, rows, self._waiting = True, self._waiting[head.end() :], b""
                self._take_whole_rows(rows.lstrip(_SPACE))
        if len(self._waiting) > _LONGEST_ROW_BYTES:
            raise _unreadable(self._waiting[:_HEAD_BYTES])

    def finish(self, today: date) -> Rows[Activity]:
        """Return completed UTC days, added up over endpoints, without the rows that cannot be read.

        `today`: by the server's clock; a row more than two months before or after it has a wrong date.
        """
        rest = b'{"data":[' + self._waiting if self._in_rows else self._waiting
        self._add_each(decoded(self._masked(rest), RowList, "/activity").data)
        days = {text: day for text, day in self._days.items() if self._is_near(text, day, today)}
        if not days and self._error is not None:
            raise self._error
        by_model, by_provider = (_spend_by_day({text: day[part] for text, day in days.items()}) for part in (0, 1))
        return Rows(Activity(by_model, by_provider), self._dropped)

    def _take_whole_rows(self, piece: bytes) -> None:
        """Add the rows up to the last brace in the piece that ends one; the rest waits."""
        end = len(piece)
        for _ in range(_ENDS_TRIED if len(self._waiting) < _LONG_ROW_BYTES else 1):
            end = piece.rfind(b"}", 0, end)
            if end < 0:
                break
            text = self._masked(b"".join((b"[", self._waiting, memoryview(piece)[: end + 1], b"]")))
            try:
                self._add(_read_rows(text))
            except _NOT_READ:
                try:
                    rows = _split_rows(text)
                except _NOT_READ:
                    continue  # the brace is inside a row
                self._add_each(rows)
            self._waiting = piece[end + 1 :].lstrip(_SPACE)
            return
        self._waiting += piece

    def _add(self, rows: Iterable[_Row]) -> None:
        """Add rows. The loop runs once for each row, so it does nothing that a group could do; rows of a day come together."""
        date_: str | None = None
        count = dropped = 0
        day: _Day = [{}, {}, 0, {}]
        models, providers, _, seen = day
        with localcontext(BOUNDED):  # no sum exceeds the bounds of an amount
            for row in rows:
                if row.date != date_:
                    day[2] += count
                    date_, count = row.date, 0
                    models, providers, _, seen = day = self._days.setdefault(date_, [{}, {}, 0, {}])
                name, provider_name, usd = row.model, row.provider_name, row.usage
                requests, prompt, completion = row.requests, row.prompt_tokens, row.completion_tokens
                byok = row.byok_usage_inference
                try:
                    if not _LOWEST < usd < _HIGHEST:
                        dropped += 1
                        continue
                    if endpoint := row.endpoint_id:  # without one, two rows of the same amount may be two rows
                        # Not with the amount: the hash of a Decimal takes as long as everything else here.
                        key = hash((endpoint, name, provider_name, requests, prompt, completion))
                        if byok and not usd and byok.is_finite():  # nothing but own keys: their cost distinguishes the rows
                            key = hash((key, byok))
                        if key not in seen:
                            seen[key] = usd
                        elif seen[key] == usd or not self._is_new(date_, key, usd):
                            continue
                    # Plain dictionaries: the interpreter looks them up faster than those with a default.
                    try:
                        model = models[name]
                    except KeyError:
                        model = models[name] = [_NOTHING, 0, 0, NOTHING]
                    try:
                        provider = providers[provider_name]
                    except KeyError:
                        provider = providers[provider_name] = [_NOTHING, 0, 0, NOTHING]
                    model_usd, provider_usd = model[0] + usd, provider[0] + usd
                except DecimalException:  # the sum is out of range, or this is no number
                    dropped += 1
                    continue
                tokens = prompt + completion
                count += 1
                model[0], provider[0] = model_usd, provider_usd
                model[1] += requests
                model[2] += tokens
                provider[1] += requests
                provider[2] += tokens
                if byok or byok is UNSET:
                    model[3], provider[3] = _with_byok(model[3], byok), _with_byok(provider[3], byok)
        day[2] += count
        if dropped:
            self._drop(ServerError("the reply has a number out of range in usage"), dropped)

    def _is_new(self, date_: str | None, key: int, usd: Decimal) -> bool:
        """Return whether no row of the day with this key had this amount; the first amount of each key is in its day."""
        known = len(self._others)
        self._others.add((date_, key, usd))
        return len(self._others) > known

    def _add_each(self, rows: Iterable[Raw]) -> None:
        """Add rows of which some have other types, or cannot be read."""
        for raw in rows:
            try:
                row = read_row(raw)
            except (msgspec.MsgspecError, ValueError):
                try:
                    row = _decoded_loosely(raw)
                except ServerError as error:
                    self._drop(error)
                    continue
            self._add((row,))

    def _is_near(self, text: str, day: _Day, today: date) -> bool:
        try:
            if abs(day_of(text) - today) > _LONGEST_SPAN:
                raise ServerError(f"the reply has an impossible date: {day_of(text)}")
        except ServerError as error:
            self._drop(error, day[2])
            return False
        return bool(day[2])

    def _drop(self, error: ServerError, rows: int = 1) -> None:
        self._dropped += rows
        self._error = self._error or error
        if self._dropped > _MOST_DROPPED:
            raise ServerError(f"/activity answered with more than {_MOST_DROPPED:,} rows that cannot be read")


def _with_byok(sum_: Amount, usd: Decimal | UnsetType) -> Amount:
    """Return a sum of own-key inference with that of a row; one that is missing or out of range is unknown."""
    if not isinstance(usd, UnsetType) and usd.is_finite() and usd.adjusted() <= LARGEST_EXPONENT:
        with suppress(DecimalException):
            return Amount((sum_.usd or _NOTHING) + usd, sum_.lower_bound or sum_.usd is None)
    return Amount(sum_.usd, lower_bound=True) if sum_.usd else UNKNOWN


def _unreadable(text: bytes) -> ServerError:
    """Return the error for a reply without a row in `_LONGEST_ROW_BYTES`."""
    try:
        decoded(text, RowList, "/activity")
    except ServerError as error:
        return error
    return ServerError("/activity answered in an unknown form: a row of more than 4 MiB")


def _decoded_loosely(raw: Raw) -> _Row:
    """Return a row that may have counts as text or with a fraction, and null in every field except the amount."""
    row = decoded(bytes(raw), _LooseRow, "/activity")
    byok = optional_usd(row.byok_usage_inference)
    return _Row(
        date=row.date,
        model=row.model or row.model_permaslug or "",
        endpoint_id=row.endpoint_id or "",
        provider_name=row.provider_name or "",
        usage=bounded(row.usage, "usage"),
        byok_usage_inference=UNSET if byok is None else byok,
        requests=whole(row.requests, "requests"),
        prompt_tokens=whole(row.prompt_tokens, "prompt_tokens"),
        completion_tokens=whole(row.completion_tokens, "completion_tokens"),
    )


def _spend_by_day(days: Mapping[str, Mapping[str, _Sum]]) -> dict[date, dict[str, Spend]]:
    """Return the sums by day and cleaned name; several spellings may share one name, and several texts one day."""
    names = {spelling: name_of(spelling) for spelling in {each for sums in days.values() for each in sums}}
    are_unique = len(set(names.values())) == len(names)
    spend_by_day: dict[date, dict[str, Spend]] = {}
    for text, sums in days.items():
        day = day_of(text)
        if are_unique and day not in spend_by_day:
            spend_by_day[day] = {names[spelling]: Spend(*each) for spelling, each in sums.items()}
            continue
        spends = spend_by_day.setdefault(day, {})
        for spelling, each in sums.items():
            name, spend = names[spelling], Spend(*each)
            spends[name] = spends[name] + spend if name in spends else spend
    return spend_by_day
