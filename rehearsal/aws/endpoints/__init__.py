"""SageMaker endpoints whose containers really run, behind `InvokeEndpoint`."""
