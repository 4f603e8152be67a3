"""What is known of a star: its posterior over component and distance, and draws from it."""
