"""The `pulumi` command, its preview, its state backend and the locks on it."""
