"""The shapes of what an act takes and returns."""
