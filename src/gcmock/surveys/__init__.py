"""The real surveys: what their tables look like, how to read them and how to fetch them."""
