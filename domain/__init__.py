"""What it means: the rules of the brokerage, in plain Python, shared by the app and the server."""
