"""The carriers over real sockets, in real TLS."""
