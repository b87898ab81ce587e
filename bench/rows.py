"""The groups of rows, in the order of the table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench import (
    row_accounts,
    row_acting,
    row_command_tiles,
    row_commands,
    row_decks,
    row_full_day,
    row_growth,
    row_history,
    row_http_process,
    row_idle,
    row_lives,
    row_numbers,
    row_pictures,
    row_press,
    row_reporting,
    row_slow_disk,
    row_start,
    row_virtual_time,
)
from bench.sample_sizes import SampleSizes
from bench.table import Row

GROUPS: Mapping[str, Callable[[SampleSizes], list[Row]]] = MappingProxyType(
    {
        "start": row_start.rows,
        "press": row_press.rows,
        "idle": row_idle.rows,
        "virtual-time": row_virtual_time.rows,
        "http-process": row_http_process.rows,
        "decks": row_decks.rows,
        "accounts": row_accounts.rows,
        "growth": row_growth.rows,
        "history": row_history.rows,
        "slow-disk": row_slow_disk.rows,
        "commands": row_commands.rows,
        "pictures": row_pictures.rows,
        "numbers": row_numbers.rows,
        "lives": row_lives.rows,
        "acting": row_acting.rows,
        "command-tiles": row_command_tiles.rows,
        "reporting": row_reporting.rows,
        "full-day": row_full_day.rows,
    }
)
