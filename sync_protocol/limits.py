"""Every bound, in one place, each with the sum that justifies it. Units are in the names."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# --- the log -------------------------------------------------------------------------------
BLOCK_ENTRIES = 256
"""Entries in a full block: about 40 KiB compressed (256 x 160 B), 6 s on a 56 kbit/s line; a kill
re-sends at most one."""
ENTRY_BODY_BYTES_MAX = 256 * KIB
"""One act of capture. The largest real form seen has 60 fields of under 200 B: 12 KiB; times 20."""
ENTRY_HEADER_BYTES_MAX = 256 * KIB
"""A context of 4,096 marks x 38 B = 152 KiB, with room."""
ENTRY_CONTEXT_FEEDS_MAX = 4096
"""A ward has under 50 devices; with 20 incarnations each, 1,000; times four."""
RANGE_BYTES_MAX = 64 * MIB
"""A block unfolded: 256 x 256 KiB, the product of the two bounds above."""
RANGE_PACKED_BYTES_MAX = 16 * MIB
"""A block as it travels: real ones have 40 KiB; incompressible bodies of 64 KiB would fit."""
FEEDS_PER_WARD_MAX = 10_000
"""Frontier of 10,000 heads x 38 B = 380 KiB: still one message."""
FEEDS_PER_DEVICE_MAX = 256
"""Feeds and branches of one device that somebody else than hub or edge brings: a new incarnation a
day for most of a year. 50 devices that all lie have 12,800: a tablet alone can't fill a ward."""
PENDING_ENTRIES_MAX = 100_000
"""Entries kept for feeds whose grant has not arrived: ten tablets offline for a year."""
CHANGES_PER_ENTRY_MAX = 4096
"""Cells written by one entry; 256 KiB / 4096 = 64 B each."""
PUBLICATION_BYTES_MAX = 192 * KIB
"""The city's catalogue and days off, in one entry of 256 KiB: it has 76 KiB."""
PUBLICATION_FILES_MAX = 64
"""One for each field of administration and five more; there are 16."""
VALUE_DEPTH_MAX = 16
"""Lists within lists in one value: a group in an approval's basis has four; times four."""
NUMBER_MAX = 2**31 - 1
"""Ids of fields and types, and opcodes: counted up by people, one at a time."""
PARENTS_PER_CHANGE_MAX = 4096
"""Dots one save may replace: a resolution of 1,000 concurrent values, times four."""
STATEMENTS_PER_ENTRY_MAX = 4096
"""Control statements in one entry."""

# --- messages ------------------------------------------------------------------------------
MESSAGE_BYTES_MAX = 1 * MIB
"""An envelope without its payloads: 10,000 heads x 38 B, with room."""
EXCHANGE_PAYLOAD_BYTES_MAX = 8 * MIB
"""Payloads in one request: 10,000 dossiers are about 2 MB; 8 MiB take 13 s at 5 Mbit/s."""
PAYLOADS_PER_MESSAGE_MAX = 1024
"""40 blocks carry 10,000 entries; 1,024 carry 262,144, or as many scan chunks as 8 MiB hold."""
REQUESTS_PER_EXCHANGE_MAX = 10_000
"""A loop that needs more is broken: 10,000 x 8 MiB = 80 GB."""
REQUEST_TIMEOUT_S = 60.0
"""Without one byte of progress; a 256 KiB chunk passes a 56 kbit/s line in 38 s."""
CONNECT_TIMEOUT_S = 10.0
"""Three lost SYN packets (1 + 2 + 4 s) and a slow handshake."""
RETRY_CAP_S = 300.0
"""Full jitter up to five minutes: 579 wards return at 2 per second on average."""
RETRY_BASE_S = 2.0
"""The first retry waits up to two seconds."""
RETRY_AFTER_S_MAX = 3600.0
"""A peer may ask for an hour of patience, no more: a wrong answer must not silence a ward."""
IDLE_CHECK_S = 60.0
"""Between two looks at a peer with nothing to send: 579 wards ask 10 times a second, 300 B each."""
NONCES_KEPT_MAX = 20_000
"""One outstanding nonce per device: 579 wards x 30 devices."""
CLOCK_ADOPT_MS_MAX = 5 * 60 * 1000
"""A foreign clock may move ours five minutes beyond the wall, no more."""
CLOCK_SUSPECT_MS = 5 * 60 * 1000
"""An entry later than its receipt by more is flagged."""

# --- scans ---------------------------------------------------------------------------------
CHUNK_BYTES = 256 * KIB
"""Plain bytes in a chunk: 38 s on a 56 kbit/s line."""
ATTACHMENT_BYTES_MAX = 20 * MIB
"""One scanned paper; the portal takes 2 MB a file, a 40-page PDF at 150 dpi is under 20 MB."""
CHUNKS_PER_ATTACHMENT_MAX = ATTACHMENT_BYTES_MAX // CHUNK_BYTES
"""80."""
SCANS_LACKING_SHOWN_MAX = 16
"""Scans that an answer to HELLO names as lacking: 16 x (16 + 80 x 32 B) = 41 KB at most, of the
usual pages (one chunk each) under 1 KB; 1,000 lost scans are all named within 63 greetings."""
LODGED_BYTES_MAX = 512 * MIB
"""Chunks that one device leaves and no dossier here names yet: a tablet whose grant or review takes
a month brings 22 days x 40 scans x 400 KiB = 344 MiB. 50 devices that all lie have 25 GiB."""
LODGED_CHUNK_BYTES_MIN = 4 * KIB
"""A smaller chunk counts as so much: a block of the disk. So 131,072 chunks at most."""
LODGED_DAYS = 30
"""What was left in pieces and never named or receipted goes after so long; it can come again."""
ATTACHMENTS_PER_RECORD_MAX = 256
"""Papers of one dossier; the longest list of the catalogue has 21."""

SCAN_EDGE_PIXELS_MAX = 20_000
"""Longest edge of a scan: A3 (420 mm) at 1,200 dpi is 19,843 px."""
SCAN_PIXELS_MAX = 100_000_000
"""Pixels of a scan: A4 at 600 dpi has 35 million; decoded at 3 B each, 300 MB at most."""

# --- pictures from outside, read in a child process ----------------------------------------
PICTURE_BYTES_MAX = 8 * MIB
"""One picture or PDF that is sent to the desk: a photo of 12 million pixels has 3 to 6 MiB. It
fits, with its form, the bodies that a station takes (9 MiB)."""
PICTURE_PIXELS_MAX = 50_000_000
"""The sharpest phones in use here take 50 million pixels; A4 at 600 dpi has 35 million."""
PICTURE_MEMORY_BYTES_MAX = 768 * MIB
"""Address space of the child: libraries 284 MiB (measured), and a picture at its bound twice, while
it is made smaller: 50 million x 4 B x 2 = 382 MiB; the rest for work on the smaller one."""
PICTURE_CPU_S = 10
"""A page of 12 million pixels takes 1 s, a third of it for libraries; times ten for an old box."""
PICTURE_WALL_S = 15
"""Until a child is ended, and until somebody who waits for a turn is told to come again."""
PICTURE_FILES_MAX = 32
"""Open files of the child: three pipes, and one library at a time while it loads."""
PICTURE_CHILDREN_MAX = 2
"""At once: 2 x 768 MiB at the very most, and a core is left for the desk."""
PICTURE_CODES_MAX = 8
"""QR codes looked at in one picture: the card's own, and what lies beside it."""
PAGE_BYTES_MAX = 2_000_000
"""A page as it is kept: the portal takes 2 MB a file; the usual page has 60 to 120 KB."""
PICTURE_ANSWER_BYTES_MAX = PAGE_BYTES_MAX + 64 * KIB
"""What a child may say: a page, or 8 codes of 3,000 characters that JSON writes in six each."""
DOCUMENT_PAGES_MAX = 100
"""Pages of one PDF: a land dossier has 40; at 20 MiB, 200 KiB are left for each."""
DOCUMENT_OBJECTS_MAX = 50_000
"""Objects of one PDF: a page that a word processor made has ten to fifty; times ten."""

# --- intake --------------------------------------------------------------------------------
INTAKE_LINE_BYTES_MAX = 64 * KIB
"""One dossier as a line of JSON: real ones have under 1 KiB; 256 papers of 200 B fit."""
PORTAL_EXPORT_DOSSIERS_MAX = 5000
"""In one file for the national portal: 5,000 x 2 KB = 10 MB, two months of a busy ward; the rest
goes into the next file."""
INTAKE_NOTES_MAX = 64
"""Notes in one line: real dossiers have under five."""
FORM_QUESTIONS_MAX = 60
"""Of one form: the longest asks 30; times two. With 13 inputs and 15 papers they fit in a draft."""
FORM_ANSWER_CHARACTERS_MAX = 300
"""One answer; an address has the longest, under 150. A form of 60 is at most 54 KB in UTF-8."""

# --- bundles and snapshots -----------------------------------------------------------------
BUNDLE_FILE_BYTES_MAX = 64 * MIB
"""One file on the stick: far below FAT32's 4 GiB; a damaged one costs at most this."""
BUNDLE_FILES_MAX = 65_536
"""4 TiB at most."""
BUNDLE_PIECE_BYTES = 8 * MIB
"""A piece is closed once it holds so much: one more block (16 MiB at most) still fits its bound."""
BUNDLE_SCANS_MAX = 16_384
"""Scans named in one piece: 8 MiB hold 32 chunks; small scans of 1 KiB, 8,192."""
BUNDLE_SENTENCES_MAX = 20
"""Sentences about one stick that a person is told; more are counted."""
SNAPSHOT_CHUNK_RECORDS = 2000
"""Records in one snapshot chunk: about 400 KiB compressed."""
SNAPSHOT_CHUNK_FILL_BYTES = 4 * MIB
"""A chunk of records is closed once it holds so much, unfolded; one record more always fits."""
SNAPSHOT_CHUNK_BYTES_MAX = 64 * MIB
"""A snapshot chunk unfolded: 2,000 records of 32 KiB."""
SNAPSHOT_CHUNKS_MAX = 4096
"""8 million records."""
SNAPSHOT_LACK_ENTRIES = 4096
"""A tablet that lacks more starts from a snapshot: 16 blocks, 0.4 MB as entries."""
SNAPSHOTS_KEPT_MAX = 2
"""Snapshots kept for slow tablets, in memory: the newest, and the one that somebody is fetching."""
SNAPSHOTS_KEPT_BYTES_MAX = 64 * MIB
"""Their bytes: 2 x 100,000 records of 82 B are 16 MiB; above it only the newest is kept."""
AUDIT_HOURS = 24
"""Between two audits with one peer: the sums of 100,000 records take 0.3 s, and 4 KiB travel."""
NOTICE_SHOWN_DAYS = 30
"""A store that was copied, or lost its end, is spoken of in `health` so long: a month's work."""
AUDIT_SHOWN_DAYS = 30
"""An audit that found a difference is warned of so long: a month of mornings."""
RETENTION_DAYS = 90
"""A closed dossier stays on a tablet so long after its last entry, once it is safe elsewhere."""
KEYS_KEPT_DAYS = 400
"""Old private keys are kept this long, so that a forgotten stick still opens."""
LAPSED_DAYS = 180
"""A device silent for so long is marked lapsed."""

# --- storage -------------------------------------------------------------------------------
JOURNAL_SEGMENT_BYTES_MAX = 1 * MIB
"""One journal file: about 1,500 entries; the unit of deletion, and what an opening reads again."""
STORE_TIMEOUT_S = 30.0
"""Wait for another writer of the same database."""
STORE_CACHE_BYTES = 8 * MIB
"""Pages in clear held by one connection: the list index of 100,000 records is 5 MiB."""
STORE_WAL_BYTES_MAX = 16 * MIB
"""The write-ahead log is cut back to this after one large transaction; normal ones need 4 MiB."""
STORE_READERS_KEPT_MAX = 4
"""Idle reading connections kept open: 4 x 8 MiB of cache; more are opened and closed again."""
DISK_RESERVE_BYTES = 64 * MIB
"""Below this much free disk, bulk capture is refused before it starts."""
STATE_CACHE_RECORDS_MAX = 4096
"""Record states held in memory during one fold batch: 4,096 x 2 KiB = 8 MiB."""
FOLD_BATCH_ENTRIES = 1024
"""Entries folded in one transaction of the views: four blocks, about 40 ms."""
SIBLINGS_SHOWN_MAX = 8
"""Concurrent values shown at first; all are kept."""
SEARCH_RESULTS_MAX = 200
"""Rows of one page of a list or search."""
SEARCH_WORDS_MAX = 16
"""Words of one search that count: a Vietnamese name has up to 8, its street as many."""

# --- the city ------------------------------------------------------------------------------
WARDS_OPEN_MAX = 1024
"""Wards that the hub holds open: the largest city has 579, each with about 12 files (of the 65,536
that `serve` asks for), and a station of each calls every minute: fewer would open and close."""
WARD_IDLE_S = 900.0
"""A ward that nobody has visited for so long is closed: 15 looks that its stations have missed."""

# --- people --------------------------------------------------------------------------------
PIN_TRIES_MAX = 10
"""Wrong PINs before a slot is locked."""
INVITATION_HOURS = 72
"""An invitation made on Friday works on Monday."""
INVITATION_HOURS_MAX = 24 * 30
"""A month: devices for a whole city are prepared and carried out within it."""
DELEGATED_GRANT_DAYS = 30
"""An edge's own enrolment of a tablet holds so long without the hub's countersignature: a line
that is cut for a month is an emergency in which somebody looks after the tablets anyway."""
IDENTITY_TEXT_CHARACTERS_MAX = 3000
"""A card's QR code or machine-readable zone as text: the largest QR code holds 2,953 bytes."""
CALENDAR_BYTES_MAX = 256 * KIB
"""A file of tables of days off: a year is 2 KiB, so this is more than a century."""
