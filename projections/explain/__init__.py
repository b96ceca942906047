"""How a figure was derived, and what happened to a person in a month."""
