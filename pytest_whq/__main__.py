"""``python -m pytest_whq``: the command ``whq``, where its folder is not on the PATH."""

import sys

from pytest_whq.cli import main

if __name__ == "__main__":
    sys.exit(main())
