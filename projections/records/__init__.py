"""Read models, each with the acts that need no other room: grants, accounts, rulebooks, people."""
