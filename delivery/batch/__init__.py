"""Predictions for whole tables and files: rows in, a Batch Transform job, an Iceberg table of predictions out."""
