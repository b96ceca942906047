"""Replays under other rules, facts or moments, and where the differences come from."""
