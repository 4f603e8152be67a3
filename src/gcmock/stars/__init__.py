"""What stars look like: masses, ages, magnitudes."""
