"""Audio files, models and the engine."""
