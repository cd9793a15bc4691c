"""A PDF: its pages are counted, and what does more than being looked at is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_home.picture.document import count_pages
from device_home.picture.refusal import RefusedError
from sync_protocol import limits
from tests import documents

ESCAPED = documents.with_action("/JavaScriptXX").replace(b"/JavaScriptXX", b"/#4aavaScript")
"""A name may be spelt in many ways."""


def test_pages_are_counted() -> None:
    assert count_pages(documents.plain(3)) == 3
    assert count_pages(documents.opening("/GoTo")) == 1, "it turns to a page, no more"
    assert count_pages(documents.with_action("/URI")) == 1, "a link that somebody may tap"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (documents.encrypted(), "pdf-encrypted"),
        (documents.with_script(), "pdf-script"),
        (documents.with_action("/Launch"), "pdf-script"),
        (documents.with_action("/SubmitForm"), "pdf-script"),
        (ESCAPED, "pdf-script"),
        *(
            (documents.opening(name), "pdf-script")
            for name in ("/URI", "/GoToR", "/Hide", "/Named")
        ),
        (documents.with_action("/GoToR"), "pdf-script"),
        (documents.with_action("/Rendition"), "pdf-script"),
        (documents.with_stream_elsewhere(), "pdf-files"),
        (documents.with_file(), "pdf-files"),
        (documents.plain(limits.DOCUMENT_PAGES_MAX + 1), "pdf-pages"),
        (documents.plain(0), "pdf-damaged"),
        (b"%PDF-1.7\n%%EOF", "pdf-damaged"),
        (b"%PDF-1.7\n<script>alert(1)</script>%%EOF", "pdf-damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_plain_document_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        count_pages(content)


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_document_is_counted_or_refused(data: st.DataObject) -> None:
    content = bytearray(documents.with_action("/URI"))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RefusedError):
        assert 0 < count_pages(bytes(content)) <= limits.DOCUMENT_PAGES_MAX
