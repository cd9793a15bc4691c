"""The national forms on paper: Mẫu 01 to 07 of Circular 03/2025/TT-VPCP, as PDF.

`facts` gathers what a form says of a dossier, `forms` and `daybook` lay it out, `sheet` is the
door to reportlab: page, fonts, heading, tables, QR code. The fonts (Tinos, SIL Open Font License)
lie beside it, and what is used of them is embedded: a form looks the same on every printer.

What holds: a form is made in memory; who asked for it decides where it goes. The document's own
data (title, author) name no person.
"""
