"""The facts of a month, as of a position, as columns and as entries."""
