"""Every address that Muster answers."""

from django.contrib import admin
from django.urls import include, path

from accounts.admin.second_factor import second_factor
from accounts.login.authorize import authorization, frontend_login
from config.graphql_stream import stream
from config.graphql_view import view as graphql_view
from config.health import healthz, readyz
from config.metrics import metrics
from config.unsubscribe import unsubscribe

urlpatterns = [
    path("graphql", graphql_view, name="graphql"),
    path("graphql/stream", stream, name="stream"),
    path("_allauth/", include("accounts.login.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("identity/o/authorize", authorization),  # in the place of the next line's
    path("", include("allauth.idp.urls")),
    path("identity/", include("allauth.urls")),  # where other providers send people back to
    path("identity/login", frontend_login, name="account_login"),
    path("identity/reauthenticate", frontend_login, name="account_reauthenticate"),
    path("admin/second-factor/", second_factor, name="second_factor"),
    path("admin/", admin.site.urls),
    path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
