"""The scripts that AWS Glue runs: arguments in, a result file out."""
