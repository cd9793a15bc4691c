"""Laws that every implementation of a port keeps."""
