"""Missions as data: windows, instruments, passbands, catalogues."""
