"""What a person or a program may do: each act checks the right and returns a document."""
