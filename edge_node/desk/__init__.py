"""The desk: the pages at which officers of the ward work, served by the station that owns the home.

Kept here: `site` (the app, its headers, and that every route says who may use it), `sessions` and
`entrance` (who is there), `listeners` and `news` (an open page is told of news), `words` (what
screens say, in two languages), `values` (what was typed in a form, as commands take it), and the
pages: `start`, `dossiers`, `decisions`, `reception` (with `drafts` and `card_picture`), `moves`,
`reception_time`, `clock`, `scans`, `printing` (with `sheets`), `figures`, `fees`, `portal`,
`bulk`, `calls`, `people`, `devices`, `work`. What pages write goes through the functions of
`device_home` that commands use: there is no second way to write. Nothing here is imported by
anything that a tablet can reach.
"""
