"""Surveys as they are: native tables, photometric systems, and how a survey sees the sky."""
