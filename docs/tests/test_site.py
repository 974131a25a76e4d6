"""The built site, opened in a browser from its files: run by make test-docs, after make docs."""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import Browser

SITE = Path(__file__).parents[2] / "build" / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
WIDTHS = (1280, 390)

#: Pictures that did not load.
BROKEN = """[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"""
LOADED = "[...document.images].every(image => image.complete)"
#: Blocks of a language that a reader expects in colours, and of them those of one colour alone.
LANGUAGES = ["python", "pycon", "toml", "c"]
BLOCKS = f"{LANGUAGES}.flatMap(l => [...document.querySelectorAll(`.language-${{l}} code`)])"
PLAIN = f"""{BLOCKS}.filter(code => {{
  const colours = [...code.querySelectorAll('span')].map(span => getComputedStyle(span).color);
  return new Set(colours).size < 2;
}}).map(code => code.textContent)"""
#: Elements that reach beyond the window, but for those in a block that scrolls.
CUT_OFF = """[...document.querySelectorAll('.md-content *, .md-header *')].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
  for (let outer = element; outer; outer = outer.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(outer).overflowX)) return false;
  return getComputedStyle(element).position !== 'fixed';
}).map(element => element.outerHTML.slice(0, 200))"""
#: What the page takes from elsewhere.
OUTSIDE = """[...document.querySelectorAll('script, link, img, iframe')]
  .map(element => element.src || element.href)
  .filter(place => place && !/^(file|data):/.test(place))"""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
#: What the search shows its results in; it keeps it apart from the page.
SEARCH = "[...document.body.children].find(child => child.shadowRoot)?.shadowRoot"


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(browser, page):
    browser.open(SITE / page)
    browser.wait_until(LOADED)
    assert browser.run(BROKEN) == []
    assert browser.run(OUTSIDE) == []
    assert browser.run(PLAIN) == []
    for width in WIDTHS:
        browser.resize(width)
        assert browser.run(CUT_OFF) == []
        assert not browser.run(WIDER)
    assert browser.errors == []


class Anchors(HTMLParser):
    """The links of a page, and the names of its parts."""

    def __init__(self, page):
        super().__init__()
        self.links, self.names = set(), set()
        self.feed((SITE / page).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.names.add(attributes.get("id"))
        if tag in {"a", "img", "link", "script"}:
            self.links.add(attributes.get("href") or attributes.get("src"))


def test_every_link_leads_to_a_place_of_the_site():
    anchors = {page: Anchors(page) for page in PAGES}
    wrong = []
    for page in set(PAGES) - {"404.html"}:  # its links begin at the root of a server
        for link in map(urlsplit, filter(None, anchors[page].links)):
            if link.scheme in {"https", "data"}:
                continue
            path = os.path.normpath(Path(page).parent / unquote(link.path)) if link.path else page
            names = anchors[path].names if path in anchors else {}
            anchor = unquote(link.fragment)
            if not (SITE / path).is_file() or (anchor and anchor not in names):
                wrong.append((page, link.geturl()))
    assert wrong == []


def test_search_finds_gen1_in_a_page_opened_as_a_file(browser):
    browser.open(SITE / "docs" / "how-to" / "data.html")
    browser.wait_until("document.querySelector('.md-search__button')")
    browser.run("document.querySelector('.md-search__button').click()")
    browser.wait_until(f"{SEARCH}?.querySelector('input')")
    browser.run(
        f"""(input => {{
          input.value = 'Gen1';
          input.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})({SEARCH}.querySelector('input'))"""
    )
    browser.wait_until(f"{SEARCH}.querySelector('[role=listbox] a')")
    found = browser.run(f"[...{SEARCH}.querySelectorAll('[role=listbox] a')].map(a => a.href)")
    assert any(urlsplit(link).fragment == "skd.Gen1" for link in found)
    assert browser.errors == []


def test_formulas_are_drawn(browser):
    browser.open(SITE / "docs" / "explanation" / "method.html")
    heights = browser.run(
        "[...document.querySelectorAll('math[display=block]')].map(m => m.clientHeight)"
    )
    assert len(heights) == 4
    assert min(heights) > 10
    assert "$" not in browser.run("document.querySelector('article').innerText")


def test_the_reference_documents_fit_once(browser):
    browser.open(SITE / "docs" / "reference" / "training.html")
    headings = browser.run("[...document.querySelectorAll('h2, h3, h4')].map(h => h.id)")
    assert [name for name in headings if name.endswith(".fit")] == [
        "skd.training._objective.Objective.fit"
    ]


def test_the_first_page_leads_to_all_tabs(browser):
    browser.open(SITE / "index.html")
    tabs = browser.run("[...document.querySelectorAll('.md-tabs__link')].map(t => t.innerText)")
    assert tabs == [
        "Home", "Start", "How to", "The method", "The code", "Benchmarks", "Reference",
    ]  # fmt: skip
    assert browser.run("document.querySelectorAll('.grid.cards li').length") >= 4
