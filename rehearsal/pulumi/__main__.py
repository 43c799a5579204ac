"""`python -m rehearsal.pulumi ARGUMENTS`: the `pulumi` command of the rehearsal."""

import atexit
import gc
import sys

from rehearsal.pulumi.command import main

_RARELY = 200_000

# The program makes much that stays: looking for what does not, most of all at the end, is half of its time.
gc.set_threshold(_RARELY)
atexit.register(gc.freeze)
sys.exit(main(sys.argv[1:]))
