"""A branch evaluated under a rulebook."""
