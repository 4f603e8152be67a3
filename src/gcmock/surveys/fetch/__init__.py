"""Windows of surveys fetched from archives."""
