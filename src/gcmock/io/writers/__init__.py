"""Writers: a table in chunks to any format, complete or absent."""
