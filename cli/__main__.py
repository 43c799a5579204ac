"""`python -m cli`: the same as `drivetrain`, from whatever checkout is first on the path."""

from cli.main import main

main()
