"""Which rows there are, by group, in the order of the table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench import row_ambers, row_commands, row_decks, row_idle, row_life, row_numbers, row_pictures, row_press, row_start
from bench.counts import Counts
from bench.table import Row

GROUPS: Mapping[str, Callable[[Counts], list[Row]]] = MappingProxyType(
    {
        "start": row_start.rows,
        "press": row_press.rows,
        "idle": row_idle.rows,
        "life": row_life.rows,
        "decks": row_decks.rows,
        "commands": row_commands.rows,
        "pictures": row_pictures.rows,
        "numbers": row_numbers.rows,
        "ambers": row_ambers.rows,
    }
)
