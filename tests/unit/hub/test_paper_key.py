import pytest

from central_hub.paper_key import CITY_ROOT, RECOVERY, read_paper_key, write_paper_key
from sync_protocol.errors import InputError, WrongKeyError

SECRET = bytes(range(32))
TEXT = write_paper_key(RECOVERY, SECRET, ["for people"])


def test_a_key_on_paper_is_read_back_however_it_was_typed() -> None:
    assert read_paper_key(RECOVERY, TEXT) == SECRET
    loose = TEXT.upper().replace(RECOVERY.upper(), RECOVERY).replace(" ", "\t")
    assert read_paper_key(RECOVERY, "\n\n# note\n" + loose + "\n") == SECRET


def test_every_slip_of_one_digit_is_noticed() -> None:
    start = TEXT.index("0001")
    for at in range(start, len(TEXT)):
        if TEXT[at] in "0123456789abcdef":
            other = "0" if TEXT[at] != "0" else "7"
            with pytest.raises(InputError):
                read_paper_key(RECOVERY, TEXT[:at] + other + TEXT[at + 1 :])


def test_lines_cut_off_or_exchanged_are_noticed() -> None:
    lines = TEXT.splitlines()
    for text in ("\n".join(lines[:-1]), "\n".join([*lines[:2], lines[3], lines[2]]), ""):
        with pytest.raises(InputError):
            read_paper_key(RECOVERY, text)


def test_the_other_key_is_refused_by_name() -> None:
    with pytest.raises(WrongKeyError, match=CITY_ROOT):
        read_paper_key(RECOVERY, write_paper_key(CITY_ROOT, SECRET, []))
    with pytest.raises(InputError):
        read_paper_key(RECOVERY, "motcua-other-1\n" + TEXT.splitlines()[2])
