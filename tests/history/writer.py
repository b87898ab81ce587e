"""A process that keeps samples and days until it is killed, and says each number once it is kept.

Arguments: the file, the first number.
"""

import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.history.records import StoredDays, StoredSample
from openbalance_hid.history.store import HistoryStore
from tests.history.stand import ME, NOW

path, number = Path(sys.argv[1]), int(sys.argv[2])
store = HistoryStore(path, lambda: None)
while True:
    store.write(ME, StoredSample(NOW + timedelta(seconds=number), Credits(Decimal(100), Decimal(number))))
    days = {
        date(2026, 10, 1) + timedelta(days=age): {f"v/{model}": Spend(Decimal(number)) for model in range(20)}
        for age in range(30)
    }
    store.write(ME, StoredDays("model", days))
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
    number += 1
