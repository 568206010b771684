"""Names of browsers and programs."""

import pytest

from web.user_agents import agent_text

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
KNOWN = {
    f"{WINDOWS}; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox on Windows",
    f"{WINDOWS}) {WEBKIT} Chrome/124.0.0.0 Safari/537.36": "Chrome on Windows",
    f"{WINDOWS}) {WEBKIT} Chrome/124.0.0.0 Safari/537.36 Edg/124.0.0.0": "Edge on Windows",
    f"{WINDOWS}) {WEBKIT} Chrome/42.0 Safari/537.36 Edge/12.246": "Edge on Windows",
    f"{WINDOWS}) {WEBKIT} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0": "Opera on Windows",
    f"{WINDOWS}) {WEBKIT} Chrome/122.0 YaBrowser/24.4 Safari/537.36": "Yandex Browser on Windows",
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko": "Internet Explorer on Windows",
    f"{MAC} AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15": "Safari on macOS",
    f"{MAC} {WEBKIT} Chrome/124.0 Safari/537.36 Vivaldi/6.7": "Vivaldi on macOS",
    f"{MAC} AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15 Ddg/17.4": "DuckDuckGo on macOS",
    f"{LINUX} {WEBKIT} HeadlessChrome/124.0.0.0 Safari/537.36": "Chrome on Linux",
    f"{LINUX} {WEBKIT} Ubuntu Chromium/80.0 Chrome/80.0 Safari/537.36": "Chromium on Linux",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/1 Firefox/126.0": "Firefox on Linux",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/124 Safari/5": "Chrome on ChromeOS",
    f"{ANDROID} {WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    f"{ANDROID} {WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36 EdgA/124.0": "Edge on Android",
    f"{ANDROID} {WEBKIT} SamsungBrowser/25.0 Chrome/121.0 Safari/5": "Samsung Internet on Android",
    "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0": "Firefox on Android",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    f"{IPHONE} CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    f"{IPHONE} FxiOS/126.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPhone",
    f"{IPHONE} Mobile/15E148": "iPhone",
    f"{IPAD} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPad",
    "Mozilla/5.0 (compatible) Firefox/1": "Firefox",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16": "Opera on Windows",
    "curl/8.5.0": "curl",
    "python-requests/2.31.0": "python-requests",
    "okhttp/4.12.0": "okhttp",
    "MyApp/1.0 (iPhone; iOS 17.1; Scale/3.00)": "MyApp on iPhone",
    "Lynx/2.9.0dev.12 libwww-FM/2.14": "Lynx",
}
UNKNOWN = [
    "Mozilla/5.0",
    "Mozilla/5.0 (compatible)",
    "a browser",
    "Windows",
    "Firefox on Windows, verified/1",
    "/1.0",
    "Firefox",
    "\u202eFirefox/1.0",
    "F\u0456refox/1.0",
    "<b>Firefox</b>/1.0",
    f"{'a' * 41}/1.0",
]


@pytest.fixture(autouse=True)
def _request(app_without_tables):
    """Show pages in English."""
    with app_without_tables.test_request_context():
        yield


class TestNames:
    @pytest.mark.parametrize("user_agent", KNOWN)
    def test_known(self, user_agent):
        """A browser, also one that claims to be others, has its name and its system."""
        assert agent_text(user_agent) == KNOWN[user_agent]

    @pytest.mark.parametrize("user_agent", UNKNOWN)
    def test_unknown(self, user_agent):
        """A text that names no product is shown as it is, never as a browser that it mentions."""
        assert agent_text(user_agent) == user_agent

    @pytest.mark.parametrize("user_agent", [None, ""])
    def test_none(self, user_agent):
        """A client may send none."""
        assert agent_text(user_agent) == "Unknown device"

    def test_bound(self):
        """Only the first 400 characters count, however long a field is."""
        assert agent_text("Mozilla/5.0 " + "(" * 400 + " Firefox/1") == "Mozilla/5.0 " + "(" * 388

    def test_language(self, app_without_tables):
        """The sentence is in the language of the page, the names are not translated."""
        with app_without_tables.test_request_context(headers={"Accept-Language": "de"}):
            text = agent_text(f"{WINDOWS}; rv:128.0) Gecko/20100101 Firefox/128.0")

        assert text == "Firefox unter Windows"
