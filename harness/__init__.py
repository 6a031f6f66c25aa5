"""Measures any HEAR module on any task."""
