"""The performance table: each row is measured against a peer in the same run. `python -m bench`.

One file for each group of rows (`row_*.py`) and for each measured process (`child_*.py`). A new row is a function that returns
`Row`s and a line in `rows.GROUPS`. The product is not changed for a measurement: it runs on the simulator, as it is shipped.
"""
