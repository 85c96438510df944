"""The development mailbox, routed only where e-mails stay on this machine."""

from django.urls import path

from labonnealternance.mail import views

app_name = "mail"
urlpatterns = [
    path("", views.MailList.as_view(), name="mailbox"),
    path("<slug:name>/", views.MailDetail.as_view(), name="mailbox_mail"),
    path("<slug:name>/html/", views.MailHtml.as_view(), name="mailbox_html"),
]
