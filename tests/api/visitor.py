"""A browser without script, for the tests that need a served archive: cookies, forms, marks.

Redirects are not followed by themselves: each step is looked at."""

import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request

WAIT_SECONDS = 60


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Answer:
    def __init__(self, status, headers, body, address):
        self.status, self.headers, self.body, self.address = status, headers, body, address

    @property
    def location(self):
        return urllib.parse.urljoin(self.address, self.headers.get("Location") or "")

    def cookies(self):
        return self.headers.get_all("Set-Cookie") or []


class Visitor:
    def __init__(self, origin):
        self.origin = origin
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            _Stay, urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({})
        )

    def _send(self, request):
        try:
            answer = self.opener.open(request, timeout=WAIT_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        body = answer.read().decode("utf-8", "replace")
        return Answer(answer.status, answer.headers, body, request.full_url)

    def get(self, path):
        return self._send(urllib.request.Request(urllib.parse.urljoin(self.origin, path)))

    def post(self, path, fields):
        form = urllib.parse.urlencode(fields).encode()
        return self._send(urllib.request.Request(urllib.parse.urljoin(self.origin, path), form))

    def mark(self, path):
        """The mark that forms of this session carry."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path).body)
        assert found, f"no form at {path}"
        return found.group(1)

    def sign_in(self, login, password):
        answer = self.post("/sign-in", {"login": login, "password": password})
        assert answer.status == 303, (answer.status, answer.body)

    def send_file(self, path, name, text, fields=()):
        edge = "----edge"
        parts = [("csrf", self.mark("/imports")), *fields]
        body = "".join(
            f'--{edge}\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in parts
        )
        body += (
            f'--{edge}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            f"content-type: text/plain\r\n\r\n{text}\r\n--{edge}--\r\n"
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        address = urllib.parse.urljoin(self.origin, path)
        return self._send(urllib.request.Request(address, body.encode(), kind))

    def settled(self, path):
        """Opens a page until no job on it waits or runs."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            page = self.get(path)
            if 'data-state="waiting"' not in page.body and 'data-state="running"' not in page.body:
                return page
            assert time.monotonic() < until, "the job does not end"
            time.sleep(0.1)


def await_ready(origin):
    """Until the server answers."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            if Visitor(origin).get("/ready").status == 200:
                return
        except OSError:
            pass
        assert time.monotonic() < until, "not ready in time"
        time.sleep(0.2)
