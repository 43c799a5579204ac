"""The car fuel-economy model, the worked example."""
