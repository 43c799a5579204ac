"""`python -m rehearsal.pulumi ARGUMENTS`: the `pulumi` command of the rehearsal."""

import sys

from rehearsal.pulumi.command import main

sys.exit(main(sys.argv[1:]))
