"""Inside a rehearsed container only the image's own sources may be imported.

The interpreter is the checkout's, whose editable install would quietly supply a package that the image forgot. It lies
first on the job's PYTHONPATH, and runs after `site` installed those finders.
"""

import atexit
import gc
import sys

sys.meta_path[:] = [
    finder for finder in sys.meta_path if not getattr(finder, "__module__", "").startswith("__editable__")
]
# A job that ends leaves its memory as it is: the collector's last search takes a second where torch is loaded.
atexit.register(gc.freeze)
