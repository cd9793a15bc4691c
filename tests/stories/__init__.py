"""Stories that must run, each through real processes, with the line cut where the story says so."""
