"""A sample of the traffic, kept for monitoring in the files and lines that SageMaker's data capture writes."""
