"""What a figure can be, decided from its expression alone: its digits, its range, whole cents."""
