"""Proposals, their signatures and checks, and the way from one account to the next."""
