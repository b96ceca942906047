"""What happened: events, whether an entry is accepted, and the only writer."""
