"""Messages and files, as bytes."""
