"""What has to be so before any test module, and so the application, is imported."""

import gc
import os
import sys

from tests.queue_keys import key_of

# Looking for garbage among all that is imported takes half as long again. `tests/runs.py` enables it afterwards, in a
# run of tests; the processes that tests start import this package too.
if "pytest" in sys.modules:
    gc.disable()

# RQ reads its prefix when it is imported.
os.environ["RQ_KEY_PREFIX"] = key_of("rq")
