"""Inputs of every type, before and after an update, as the SDK sends them; one table for all handler tests."""

from case import Case
from cases_data import DATA
from cases_operations import OPERATIONS

CASES = {**DATA, **OPERATIONS}

__all__ = ["CASES", "Case"]
