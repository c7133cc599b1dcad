"""The page that the link in a mail leads to. It needs no login, sets no cookie and runs no script.

Looking at it changes nothing: mail servers open links before people do. Posting to it takes effect at once, whether
the page's button does it or the mail program (RFC 8058).
"""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.errors import NotFound
from matching.actions import unsubscribing


@csrf_exempt  # the token is what a forger would need, and mail programs have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    try:
        if request.method == "POST":
            unsubscribing.unsubscribe(token=token, now=timezone.now())
            return _page(request, "done")
        search = unsubscribing.subscribed(token)
        return _page(request, "asked" if unsubscribing.sends_mails(search) else "done")
    except NotFound:
        return _page(request, "unknown", status=404)


def _page(request: HttpRequest, shows: str, *, status: int = 200) -> HttpResponse:
    nonce = secrets.token_urlsafe(16)
    response = render(request, "unsubscribe.html", {"shows": shows, "nonce": nonce}, status=status)
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response["Referrer-Policy"] = "no-referrer"  # the address is the key
    response["X-Robots-Tag"] = "noindex"
    return response
