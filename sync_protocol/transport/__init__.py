"""How it travels.

Kept here: the port (`carrier`), the carrier over HTTP (`http`, the only door for `requests`), what
both its ends agree on (`http_contract`), the TLS server of edge and hub (`serving`, the only door
for `cheroot`; it comes with their extras), and `handover` (a command given to the process that
owns the home); `folder` is a stick or shared drive.
What holds: bytes are streamed and bounded; a cut line is a `TransportError`, never a short answer;
nothing here knows what an envelope says. The road goes on in `exchange`.
"""
