"""RQ reads its prefix when it is imported, so it is set before any test module imports RQ."""

import os

from tests.queue_keys import key_of

os.environ["RQ_KEY_PREFIX"] = key_of("rq")
