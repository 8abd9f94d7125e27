"""Coming in, oneself, and links from elsewhere."""

from django.urls import path

from registry_site.pages.views import links, mail, session, settings

urlpatterns = [
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("welcome/<str:secret>", session.welcome, name="welcome"),
    path("theme", session.theme, name="theme"),
    path("settings/profile", settings.profile, name="profile"),
    path("settings/password", settings.password, name="password"),
    path("settings/tokens", settings.tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", settings.revoke_token, name="revoke_token"),
    path("govern/mail", mail.mail_folder, name="mail_folder"),
    path("govern/mail/<int:mail_id>", mail.mail_message, name="mail_message"),
    path("markdown/preview", links.markdown_preview, name="markdown_preview"),
    path("ml/experiments/<int:experiment_id>", links.databricks_experiment),
    path("ml/experiments/<int:experiment_id>/runs/<str:run_id>", links.databricks_run),
]
