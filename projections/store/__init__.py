"""The databases: connections, schema, and how read models follow the log."""
