"""Coming in, oneself, other people, and links from elsewhere."""

from importlib import import_module

from django.conf import settings as configured
from django.urls import path

from registry_site.pages.views import access, filters, links, mail, notifications, people, session, settings

urlpatterns = [
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("welcome/<str:secret>", session.welcome, name="welcome"),
    path("invitation/<str:secret>", session.invitation, name="invitation"),
    path("forgotten-password", session.forgotten_password, name="forgotten_password"),
    path("new-password/<str:secret>", session.new_password, name="new_password"),
    path("theme", session.theme, name="theme"),
    path("settings/profile", settings.profile, name="profile"),
    path("settings/password", settings.password, name="password"),
    path("settings/tokens", settings.tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", settings.revoke_token, name="revoke_token"),
    path("settings/notifications", notifications.mail_settings, name="mail_settings"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/unread", notifications.unread, name="unread"),
    path("notifications/<int:key>", notifications.notification, name="notification"),
    path("unsubscribe/<str:token>", notifications.unsubscribe, name="unsubscribe"),
    path("people", people.people, name="people"),
    path("people/invite", people.invite, name="invite"),
    path("people/groups", people.people_groups, name="people_groups"),
    path("people/groups/<int:group_id>", people.people_group, name="people_group"),
    path("people/person/<str:username>", people.person, name="person"),
    path("filters", filters.save_filter, name="save_filter"),
    path("filters/<int:filter_id>/delete", filters.delete_filter, name="delete_filter"),
    path("suggest/people", access.suggest_people, name="suggest_people"),
    path("suggest/groups", access.suggest_groups, name="suggest_groups"),
    path("govern/mail", mail.mail_folder, name="mail_folder"),
    path("govern/mail/<int:mail_id>", mail.mail_message, name="mail_message"),
    path("markdown/preview", links.markdown_preview, name="markdown_preview"),
    path("ml/experiments/<int:experiment_id>", links.databricks_experiment),
    path("ml/experiments/<int:experiment_id>/runs/<str:run_id>", links.databricks_run),
]
if configured.PODIUM_OIDC:
    single_sign_on = import_module("registry_site.pages.single_sign_on")
    urlpatterns += [
        path("sign-in/provider", single_sign_on.start, name="provider"),
        path("sign-in/provider/callback", single_sign_on.callback, name="provider_callback"),
    ]
