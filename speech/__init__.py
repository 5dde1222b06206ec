"""Speech to text, shared by the app and the server: audio files, models and the Whisper engine; knows neither."""
