"""The same acts over HTTP."""
