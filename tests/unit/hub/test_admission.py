import threading

import pytest

from central_hub.admission import PATIENCE_S, Admission
from sync_protocol.errors import BusyError
from sync_protocol.transport.http_contract import retry_after_of, status_of


def test_who_finds_no_place_is_asked_for_patience() -> None:
    admission = Admission(at_once=2, per_ward=2, wait_s=0.01)
    with (
        admission.place(b"a"),
        admission.place(b"b"),
        pytest.raises(BusyError) as busy,
        admission.place(b"c"),
    ):
        pass
    assert status_of(busy.value) == 503
    assert PATIENCE_S[0] <= (retry_after_of(busy.value) or 0) <= PATIENCE_S[1]
    assert admission.refused == 1
    with admission.place(b"c"):
        pass


def test_one_ward_leaves_places_for_the_others() -> None:
    admission = Admission(at_once=4, per_ward=1, wait_s=0.01)
    with admission.place(b"a"):
        with pytest.raises(BusyError), admission.place(b"a"):
            pass
        with admission.place(b"b"):
            pass


def test_a_place_that_gets_free_in_time_is_taken() -> None:
    admission = Admission(at_once=1, per_ward=1, wait_s=10)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with admission.place(b"a"):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.05, leave.set).start()
    with admission.place(b"b"):
        pass
    thread.join(10)
    assert admission.refused == 0


def test_a_failing_request_gives_its_place_back() -> None:
    admission = Admission(at_once=1, per_ward=1, wait_s=0.01)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), admission.place(b"a"):
            _ = 1 // 0
