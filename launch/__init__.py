"""What `make run` starts: server, first data and app on one machine, stopped together."""
