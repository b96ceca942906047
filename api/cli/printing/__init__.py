"""How documents are printed for people."""
