"""Resource types applied to the rehearsal AWS with boto3."""
