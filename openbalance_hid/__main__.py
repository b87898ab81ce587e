"""`python -m openbalance_hid`: the same door as the console script."""

from openbalance_hid.cli import main

if __name__ == "__main__":
    main()
