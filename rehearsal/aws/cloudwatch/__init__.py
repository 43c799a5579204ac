"""What moto's CloudWatch lacks: the metrics that endpoints publish, percentiles, metric math and alarms that act."""
