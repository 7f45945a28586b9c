#!/usr/bin/env python3
"""One door for people: ``python3 dev.py --help``.

Needs Python 3.11 or later and nothing else. The first command that needs more makes its own environment in
``.venv`` from the pinned requirements (``infra/local/environment.py``), and every command then runs in it
(``infra/local/cli.py``). This file stays readable by any Python, so that an old one gets the message below.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (that is what the check is for)
    sys.exit("dropload needs Python 3.11 or later; this one is older. Run dev.py with a newer one.")

from infra.local.environment import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
