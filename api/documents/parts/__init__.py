"""What documents are made of: shapes, rows of large ones, and the types of their fields."""
