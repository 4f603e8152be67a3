"""The words of the project: bands, components, columns and flags, each defined once."""
