"""What a month is worth under a rulebook: whole columns of exact numbers, every step kept."""
