"""Every address that Muster answers."""

from django.contrib import admin
from django.urls import include, path

from config.graphql_view import view as graphql_view
from config.health import healthz, readyz

urlpatterns = [
    path("graphql", graphql_view, name="graphql"),
    path("_allauth/", include("allauth.headless.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
