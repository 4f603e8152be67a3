"""The report of a catalogue: one HTML page that needs nothing but itself."""
