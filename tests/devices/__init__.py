"""Device adapters, on a real Flet session whose client is a script."""
