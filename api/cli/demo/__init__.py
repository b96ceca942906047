"""The made-up branch that `merit demo` shows."""
