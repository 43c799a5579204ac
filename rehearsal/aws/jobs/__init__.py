"""Jobs that moto only pretends to run: SageMaker training and processing, and Glue, as real processes."""
