"""The page in a real browser: it loads without errors, stars can be picked, figures look right.

Needs selenium and Chromium with its driver (Debian: ``apt install chromium chromium-driver``).
"""

from __future__ import annotations

import base64
import io
import shutil

import numpy as np
import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver") or ""
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver in PATH"),
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

N_SAMPLE = 60


@pytest.fixture(scope="module")
def browser(report_page):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,1000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, report_page):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(report_page.as_uri())
    # The browser may answer between two pages, when there is no view yet.
    state = "return document.getElementById('view')?.dataset.state ?? 'loading'"
    WebDriverWait(browser, 30).until(lambda b: b.execute_script(state) != "loading")
    assert browser.execute_script(state) == "ready"
    return browser


def selected(browser) -> str:
    return browser.execute_script("return document.getElementById('view').dataset.selected")


def test_loads_without_errors_and_without_a_network(page):
    assert page.get_log("browser") == []
    log = " ".join(entry["message"] for entry in page.get_log("performance"))
    assert '"url":"file://' in log
    assert '"url":"http' not in log
    broken = page.execute_script(
        "return [...document.images].filter((i) => !i.complete || !i.naturalWidth).length"
    )
    assert broken == 0


def test_pick_with_the_mouse(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    canvas = page.find_element(By.ID, "panel-sky")
    page.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", canvas
    )
    seen = {selected(page)}
    for dx, dy in ((-100, -60), (90, 70), (100, -80), (-80, 90)):
        ActionChains(page).move_to_element_with_offset(canvas, dx, dy).click().perform()
        seen.add(selected(page))
    assert len(seen) >= 3
    text = page.find_element(By.ID, "star").text
    assert f"Star {selected(page)}" in text
    assert "Distance" in text


def test_pan_and_zoom(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    def picture():
        return page.execute_script("return document.getElementById('panel-sky').toDataURL()")

    canvas = page.find_element(By.ID, "panel-sky")
    page.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", canvas
    )
    before, star = picture(), selected(page)
    ActionChains(page).drag_and_drop_by_offset(canvas, 90, 40).perform()
    panned = picture()
    assert panned != before
    assert selected(page) == star
    ActionChains(page).double_click(canvas).perform()
    assert picture() != panned
    page.find_element(By.ID, "home").click()
    page.execute_script("document.getElementById('number').value = 1")


def test_keyboard(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    canvas = page.find_element(By.ID, "panel-colours")
    place = "return document.activeElement.id"
    page.find_element(By.ID, "panel-sky").send_keys(Keys.TAB)
    assert page.execute_script(place) == "panel-colours"
    seen = {selected(page)}
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
        canvas.send_keys(key)
        seen.add(selected(page))
    assert len(seen) >= 3
    before = page.execute_script("return arguments[0].toDataURL()", canvas)
    canvas.send_keys("+")
    assert page.execute_script("return arguments[0].toDataURL()", canvas) != before
    number = page.find_element(By.ID, "number")
    number.send_keys(Keys.CONTROL, "a")
    number.send_keys("7", Keys.ENTER)
    page.find_element(By.ID, "next").send_keys(Keys.ENTER)
    assert f"number 8 of {N_SAMPLE}" in page.find_element(By.ID, "star").text


def test_first_stop_of_the_keyboard_jumps_over_the_navigation(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert "Skip" in page.execute_script("return document.activeElement.textContent")


def test_nothing_moves_where_motion_is_not_wanted(page):
    behaviour = "return getComputedStyle(document.documentElement).scrollBehavior"
    assert page.execute_script(behaviour) == "smooth"
    wish = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)
    assert page.execute_script(behaviour) == "auto"
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_table_of_the_stars(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    page.find_element(By.CSS_SELECTOR, "#star-table summary").send_keys(" ")
    rows = "return document.getElementById('star-rows').children.length"
    WebDriverWait(page, 20).until(lambda b: b.execute_script(rows) == N_SAMPLE)


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_fits_the_screen(page, width):
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_contrast(page):
    """Text on its background reaches 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    colours = page.execute_script(
        """const found = new Set(), clear = 'rgba(0, 0, 0, 0)';
        const tags = 'p, td, th, a, dt, dd, figcaption, caption, b, li, summary, label';
        const shade = (e) => getComputedStyle(e).backgroundColor;
        for (const e of document.querySelectorAll(tags)) {
          let back = e;
          while (back && shade(back) === clear) back = back.parentElement;
          found.add(getComputedStyle(e).color + '|' + (back ? shade(back) : 'rgb(255, 255, 255)'));
        }
        return [...found];"""
    )

    def luminance(text):
        r, g, b = (int(x) / 255 for x in text[text.index("(") + 1 : -1].split(",")[:3])
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in (r, g, b)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert len(colours) > 5
    for pair in colours:
        low, high = sorted(map(luminance, pair.split("|")))
        assert (high + 0.05) / (low + 0.05) >= 4.5, pair


def test_prints(page):
    pdf = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") >= 1


def coarse(image, size=(36, 27)) -> np.ndarray:
    """Brightness of a picture in a few cells, without mean and scale."""
    values = np.asarray(image.convert("L").resize(size), float)
    values -= values.mean()
    return (values / values.std()).ravel()


def test_figures_on_the_screen_are_those_of_the_files(page, report_page):
    """Coarse comparison of screenshots with the figures: the same is alike, another is not."""
    from PIL import Image

    places = page.execute_script(
        """return [...document.querySelectorAll('figure')].map((figure) => {
          const box = figure.querySelector('img').getBoundingClientRect();
          return [figure.id, box.left, box.top + window.scrollY, box.width, box.height];
        });"""
    )
    clip = {"x": 0, "y": 0, "width": 1280, "height": places[-1][2] + places[-1][4], "scale": 0.5}
    options = {"clip": clip, "captureBeyondViewport": True}
    shot = page.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
    shots, files = {}, {}
    with Image.open(io.BytesIO(base64.b64decode(shot))) as whole:
        for name, left, top, width, height in places:
            box = tuple(0.5 * x for x in (left, top, left + width, top + height))
            shots[name] = coarse(whole.crop(box))
            with Image.open(report_page.parent / "figures" / f"{name}.png") as picture:
                files[name] = coarse(picture)
    assert len(shots) > 15
    alike = {name: float(shots[name] @ files[name]) / shots[name].size for name in shots}
    assert min(alike.values()) > 0.93, min(alike, key=alike.get)
    other = float(shots["distances"] @ files["proper_motions"]) / shots["distances"].size
    assert other < 0.7
