"""Does the document suffice? A replica that was written from PROTOCOL.md alone."""
