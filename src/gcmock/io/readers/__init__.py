"""Readers: a table of any format, streamed in chunks of columns."""
