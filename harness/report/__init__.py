"""Records → one HTML file that people read, and what it tells of each record."""
