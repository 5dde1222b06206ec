"""The app, put together: who gets what. With main.py, the only place that knows everyone."""
