"""What is learned of the surveys before they are merged."""
