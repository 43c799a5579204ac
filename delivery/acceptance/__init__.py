"""Tests of what is deployed, through its endpoint alone: smoke, contract, data, model behaviour and load."""
