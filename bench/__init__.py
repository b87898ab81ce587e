"""What it costs: one table that anyone can run, each row measured against a peer in the same run. `python -m bench`.

One file a group of rows (`row_*.py`), one a process that is measured (`child_*.py`). A new row is a function that gives `Row`s
and a line in `rows.GROUPS`. Nothing of the product is changed for a measurement: it runs on the simulator, as it is shipped.
"""
