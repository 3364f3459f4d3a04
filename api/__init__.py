"""What people touch: the HTTP API and the command line on top of it."""
