"""What an account may be called: also a file name, and upper-cased a part of an environment variable's name."""

import re

ACCOUNT_NAME = re.compile(r"[a-z0-9-]{1,32}")
