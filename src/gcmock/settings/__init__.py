"""Settings: one base for validation, explanation and TOML; the sections of every command."""
