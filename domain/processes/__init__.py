"""Decide and evolve: the month, appeals, grants, rulebook versions, samples."""
