"""``python -m chat_service``."""

import os

# The matrices are small: a second thread would only wait for work. Numpy reads this as it loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from chat_service.cli import main

main()
