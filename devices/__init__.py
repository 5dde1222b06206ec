"""What this machine can do: one adapter for each port of domain/ports.py."""
