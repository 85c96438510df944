"""The addresses of the whole site; apps are named here as strings only."""

from django.contrib import admin
from django.urls import include, path

from labonnealternance.kit import views
from labonnealternance.mail import mailbox

urlpatterns = [
    path("", include("offers.urls")),
    path("opco/", include("opco.urls")),
    path("", include("unsubscribe.urls")),
    path("compte/", include("labonnealternance.accounts.urls")),
    path("admin/", admin.site.urls),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
]
if mailbox.is_open():
    urlpatterns.append(path("boite-aux-lettres/", include("labonnealternance.mail.urls")))

handler400 = "labonnealternance.kit.errors.bad_request"
handler403 = "labonnealternance.kit.errors.permission_denied"
handler404 = "labonnealternance.kit.errors.page_not_found"
handler500 = "labonnealternance.kit.errors.server_error"
