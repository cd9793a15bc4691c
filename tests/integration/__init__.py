"""Do the real parts fit? Real sockets, real TLS, real processes."""
