"""The HTML of a page: how blocks are set, and that nothing is left unescaped."""

from __future__ import annotations

import re

import pytest

from gcmock.reporting.page.content import Listing, Numbers, PageSection, Picture, Text
from gcmock.reporting.page.document import page
from gcmock.words.components import GROUP_TABLE


def body_of(*blocks, **options):
    """Content of the only section of a page, without its heading."""
    section = PageSection("part", "A part", blocks, view=options.pop("view", False))
    text = page("Title", "Lead", [], [section], **options)
    return re.search(r"</h2>\n(.*)\n</section>", text, re.DOTALL)[1]


def test_frame_of_a_page():
    sections = [PageSection("a", "One & two"), PageSection("b", "Three")]
    glance = [("stars", "12"), ("window", "a value that is quite long")]
    text = page("A < B", "Lead & more", glance, sections, footer="<end>")
    assert text.startswith("<!doctype html>")
    assert "<title>A &lt; B</title>" in text
    assert '<p class="lead">Lead &amp; more</p>' in text
    assert '<li><a href="#a">One &amp; two</a></li><li><a href="#b">Three</a></li>' in text
    assert "<footer>&lt;end&gt;</footer>" in text
    assert "<div><dt>stars</dt><dd>12</dd></div>" in text
    assert "<div class=wide><dt>window</dt>" in text
    assert text.index('<section id="a"') < text.index('<section id="b"')
    # No view, no script, and the browser is told to fetch nothing.
    assert "<script" not in text
    assert "default-src 'none'" in text


def test_paragraphs_and_verdicts():
    assert body_of(Text("1 < 2")) == "<p>1 &lt; 2</p>"
    found = body_of(Text("fine", "good"), Text("not so", "bad"))
    assert found == (
        '<p class="note good"><b>Good: </b>fine</p>\n'
        '<p class="note bad"><b>Take care: </b>not so</p>'
    )


def test_one_limit_or_several():
    one = body_of(Text("a&b", "limit"))
    assert one == '<p class="note limit"><b>Limit of the model: </b>a&amp;b</p>'
    two = body_of(Text("a", "limit"), Text("b", "limit"), Text("text"))
    assert "<b>Limits of the model</b><ul><li>a</li><li>b</li></ul>" in two
    assert two.endswith("<p>text</p>")


def test_table():
    rows = [("disc <b>", "1.5", "of the stars"), ("bar", "2", "–")]
    table = Numbers("All & some", ("name", "value", "what"), rows)
    found = body_of(table)
    assert found.startswith('<div class="tables">')
    assert "<caption>All &amp; some</caption>" in found
    assert '<th scope="col" class="words">name</th><th scope="col">value</th>' in found
    assert '<th scope="row">disc &lt;b&gt;</th><td>1.5</td><td class="words">of the stars' in found
    assert "<details>" not in found


def test_hidden_table_and_one_without_a_head():
    found = body_of(Numbers("Folded", ("", ""), [("a", "1")], hidden=True))
    assert "<details><summary>As a table</summary>" in found
    assert "<thead>" not in found


def test_listing_is_folded():
    found = body_of(Listing("Settings", "a = '<b>'"))
    assert found == (
        '<details><summary>Settings</summary><pre tabindex="0">a = &#x27;&lt;b&gt;&#x27;</pre>'
        "</details>"
    )


@pytest.mark.slow
def test_neighbouring_pictures_share_a_gallery():
    def picture(name, **more):
        return Picture(name, "T & U", 'a "picture"', lambda axis: axis.plot([0, 1]), **more)

    found = body_of(
        picture("one", caption="under <it>"),
        picture("two", table=Numbers("n", ("a",), [("1",)])),
        Text("between"),
        picture("three"),
    )
    assert found.count('<div class="gallery">') == 2
    assert re.findall(r'<figure id="(\w+)"', found) == ["one", "two", "three"]
    assert found.count("<h3>T &amp; U</h3>") == 3
    assert 'alt="a &quot;picture&quot;"' in found
    assert found.count("<figcaption>") == 1
    assert "<figcaption>under &lt;it&gt;</figcaption>" in found
    width, shown = re.search(r'width:(\d+)px.*?width="(\d+)"', found, re.DOTALL).groups()
    assert int(width) == round(1.3 * int(shown))


@pytest.mark.parametrize(
    ("posteriors", "words"), [("abc", "Curves: posterior"), ("", "with --input the curves")]
)
def test_view_of_single_stars(posteriors, words):
    section = PageSection("stars", "Single stars", (Text("after"),), view=True)
    text = page("T", "L", [], [section], ("columns", posteriors), 1234)
    assert words in text
    assert "1,234" in text
    for group in GROUP_TABLE:
        assert f'<th scope="col">{group.label}</th>' in text
    assert '<script type="text/plain" id="stars-columns">columns</script>' in text
    assert f'id="stars-posteriors">{posteriors}</script>' in text
    assert text.rindex("<script>") > text.index("stars-posteriors")
    # Without a sample there is no view, whatever the section says.
    assert words not in page("T", "L", [], [section])
