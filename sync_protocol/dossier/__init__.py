"""The vocabulary of a ward office, on top of the engine.

Kept here: `record_type` (the dossier's fields and how concurrent values of each meet), `status`
(the ten national ones), `workflow` (which may follow which), `clock_stop` and `apology` (due dates
that move), `duplicate` (what may be one dossier, captured twice), `paper_check` (which papers are
needed, and which must not be asked for), `statistics` (what a ward counts), `catalogue` (the
procedures, by the shapes in `procedure`), `deadline` and `working_calendar` (when a dossier is
due), `dossier_code`, `provisional_code` and `number_block` (its numbers), `slip` (what the citizen
takes home; `signs` are those of codes and secrets), `intake` (one line of JSON becomes a dossier;
`intake_reader` and `json_line` serve it), `card_qr`, `mrz` and `identity_reading` (what identity
documents say, and where they differ), `identity_document` and `phone` (rules for numbers),
`local_time`, `scan_check` (which files we take as scans), `text` and `folding` (Vietnamese text:
cleaned, folded for search, sorted), `summary` (what a list row and the search index need), `labels`
(words for people, Vietnamese first), `sample` and `sample_scan` (synthetic dossiers and pages).

What holds: pure but for `sample_scan`; bad input raises an `InputError` that names the field and
carries no personal data; whatever the law may change is data with its source, not code. The road
goes on in the three applications.
"""
