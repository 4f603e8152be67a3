"""What a person reads: listings and summaries in the terminal."""
