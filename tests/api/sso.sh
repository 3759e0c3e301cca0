#!/usr/bin/env bash
# Single sign-on against a provider that others wrote (`oidc-provider-mock` from PyPI): there and back
# through the pages, role by group, a replay, a refusal, the test of an administrator.
# Needs python with that package; where it is absent this says so and ends well, unless
# SSO_PROVIDER=required. Usage: tests/api/sso.sh [PROGRAM]
set -euo pipefail

program=${1:-target/release/wordkeep}
port=${PORT:-8481}
provider_port=${PROVIDER_PORT:-8482}
python=$(command -v "${PYTHON:-python3}" || true)
if [ -z "$python" ] || ! "$python" -c 'import oidc_provider_mock' 2>/dev/null; then
    echo "SKIPPED: no python with oidc-provider-mock here; single sign-on was NOT tried against a real provider" >&2
    [ "${SSO_PROVIDER:-}" = required ] && exit 1
    exit 0
fi
. tests/api/house.sh
# Another site than the archive by the rules of browsers, which leave ports out of it.
issuer=http://localhost:$provider_port

"$python" -m oidc_provider_mock --port "$provider_port" --host 127.0.0.1 --require-nonce \
    --user-claims '{"sub": "ana", "preferred_username": "ana", "groups": ["staff", "legal"]}' \
    --user-claims '{"sub": "cook", "preferred_username": "cook", "groups": ["kitchen"]}' \
    > "$place/provider" 2>&1 &
provider=$!
"$python" - "$issuer" <<'PY' || { cat "$place/provider" >&2; exit 1; }
import sys, time, urllib.request
for _ in range(150):
    try:
        urllib.request.urlopen(sys.argv[1] + "/.well-known/openid-configuration").read()
        sys.exit(0)
    except OSError:
        time.sleep(0.2)
sys.exit("the provider is not ready in time")
PY

furnish
printf 'hush\n' > "$place/secret"
wk sso set --issuer "$issuer" --client-id wordkeep --client-secret-file "$place/secret" \
    --map legal=lawyer --only --token-file "$place/root.token"
wk sso test --token-file "$place/root.token"
serve_house

"$python" - "http://127.0.0.1:$port" "$issuer" <<'PY'
import re, sys, urllib.parse
from visitor import Visitor

origin, issuer = sys.argv[1:]
host = urllib.parse.urlsplit(issuer).netloc


def depart(visitor, path="/sso/start?to=/account"):
    sent = visitor.get(path)
    assert sent.status == 303, (sent.status, sent.body)
    assert sent.location.startswith(issuer + "/oauth2/authorize?"), sent.location
    if path.startswith("/sso/start"):
        (cookie,) = sent.cookies()
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie, cookie
    return sent.location


def authorise(visitor, location, fields):
    back = visitor.post(location, fields)
    assert back.status == 302, (back.status, back.body)
    assert back.location.startswith(origin + "/sso/callback?"), back.location
    return back.location


ana = Visitor(origin)
page = ana.get("/sign-in").body
assert "Sign in with" in page and host in page and "Emergency administrator" in page, page
back = authorise(ana, depart(ana), {"sub": "ana"})
arrived = ana.get(back)
assert arrived.status == 200, (arrived.status, arrived.body)
assert arrived.headers["Refresh"] == "0; url=/account", arrived.headers
account = ana.get("/account")
assert account.status == 200 and "Lawyer" in account.body and "single sign-on" in account.body, account.body
print("ok: there and back, a lawyer by group")

again = ana.get(back)
assert again.status == 403 and "begin again" in again.body, (again.status, again.body)
print("ok: the same return once more is refused")

thief = Visitor(origin)
depart(thief)
swapped = authorise(ana, depart(ana), {"sub": "ana"})
stolen = thief.get(swapped)
assert stolen.status == 403 and not thief.get("/account").status == 200, stolen.status
print("ok: a return in another browser is refused")

cook = Visitor(origin)
refused = cook.get(authorise(cook, depart(cook), {"sub": "cook"}))
assert refused.status == 403 and 'role="alert"' in refused.body, refused.status
assert "None of your groups" in refused.body, refused.body
print("ok: without a mapped group nobody comes in")

denied = cook.get(authorise(cook, depart(cook), {"action": "deny"}))
assert denied.status == 403, (denied.status, denied.body)
print("ok: a denial is told")

password = "correct horse battery staple"
rec = Visitor(origin)
by_password = rec.post("/sign-in", {"login": "rec", "password": password})
assert by_password.status == 401 and "sign in at the provider" in by_password.body, by_password.body
root = Visitor(origin)
root.sign_in("root", password)
shown = root.get("/users/sso")
assert shown.status == 200 and issuer in shown.body and "hush" not in shown.body, shown.body
users = root.get("/users").body
assert ">ana<" in users and ">cook<" not in users, users
print("ok: passwords are refused but for the emergency administrator")

claims = root.get(authorise(root, depart(root, "/users/sso/test"), {"sub": "cook"}))
assert claims.status == 200 and "kitchen" in claims.body, (claims.status, claims.body)
assert not any(cookie.startswith("wordkeep=") for cookie in claims.cookies()), claims.cookies()
assert ">cook<" not in root.get("/users").body
print("ok: the test shows the claims and makes nobody a user")
PY

# The same in a real browser, which keeps the rules of cookies and of the policy, where one is here:
# tests/browser/run brings what drives it.
driver=target/browser
if [ -d "$driver/node_modules" ] && command -v node >/dev/null && command -v chromium >/dev/null; then
    cp tests/browser/*.mjs "$driver/"
    node "$driver/sso.mjs" "http://127.0.0.1:$port" target/screenshots
else
    echo "note: no browser is here that could be driven; cookies were judged by their text"
fi
stop_house
wk verify --token-file "$place/root.token" >/dev/null
echo "ok: the record and its log are sound"
