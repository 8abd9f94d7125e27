"""The people of this Podium and their groups, for administrators."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from registry_site.accounts import administration, groups, links, queries
from registry_site.accounts.queries import PersonState
from registry_site.core import clock
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.core.pages import Page
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import as_file
from registry_site.pages.forms.people import GroupForm, GroupsForm, InviteForm, MemberForm, PersonForm
from registry_site.pages.forms.registry import TypedNameForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, pager_of, render_page_or_part, show_error, status_of

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.accounts.models import User


# -- people ------------------------------------------------------------------------------------------------------------
@signed_in
def people(request: PageRequest) -> HttpResponseBase:
    """Everybody, or those with some words in their names, in one state if one is chosen."""
    words, chosen = request.GET.get("q", "").replace("\0", ""), request.GET.get("state", "")
    state = PersonState(chosen) if chosen in list(PersonState) else None
    find = partial(queries.browse_people, request.actor, words=words, state=state)
    if file := as_file(request, "people", columns.PEOPLE, lambda token: find(page_token=token)):
        return file
    page = find(page_token=request.GET.get("page_token"))
    numbers = queries.count_people(request.actor, words=words)
    labels = {
        PersonState.ACTIVE: _("Active"),
        PersonState.INVITED: _("Invited"),
        PersonState.DEACTIVATED: _("Deactivated"),
    }
    context = {
        "q": words,
        "state": state,
        "rows": page.rows,
        "pager": pager_of(request, page.next_page_token),
        "tabs": [{"label": _("Everybody"), "state": "", "count": sum(numbers.values()), "current": state is None}]
        + [
            {"label": label, "state": each.value, "count": numbers[each], "current": each is state}
            for each, label in labels.items()
        ],
    }
    return render_page_or_part(request, "pages/people/people.html", "pages/people/_people.html", context)


@signed_in
@never_cache
def invite(request: PageRequest) -> HttpResponse:
    """Invite somebody; the link is shown this once, and mailed."""
    known = [group.name for group in queries.all_groups(request.actor)]
    form = InviteForm(request.POST or None, groups=known)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user, secret = links.invite(
                request.actor,
                username=given["username"],
                email=given["email"],
                is_admin=given["is_admin"],
                groups=tuple(given.get("groups", ())),
            )
        except PodiumError as error:
            show_error(form, error)
        else:
            return _show_link(request, user.username, f"invitation/{secret}", is_mailed=True)
    crumbs = [(_("People"), reverse("people")), (_("Invite"), "")]
    return render(request, "pages/people/invite.html", {"form": form, "crumbs": crumbs}, status=status_of(form))


@signed_in
@never_cache
def person(request: PageRequest, username: str) -> HttpResponse:
    """One of them: what they are called, where they belong, what they may do, and whether they are let in."""
    shown = queries.get_person(request.actor, username)
    known = [group.name for group in queries.all_groups(request.actor)]
    own = [group.name for group in shown.groups.all()]
    deed = request.POST.get("deed", "")
    details = PersonForm(
        request.POST if deed == "details" else None,
        initial={"display_name": shown.display_name, "email": shown.email},
    )
    membership = GroupsForm(request.POST if deed == "groups" else None, groups=known, initial={"groups": own})
    if request.method == "POST":
        answer = _do(request, shown, deed, details, membership)
        if answer is not None:
            return answer
    context = {
        "shown": shown,
        "is_oneself": shown.pk == request.actor.user_id,
        "details_form": details,
        "groups_form": membership,
        "tokens": queries.tokens_of_person(request.actor, username),
        "identities": shown.identities.all(),
        "may_confirm": settings.PODIUM_OIDC and shown.email and not shown.email_confirmed,
        "now": clock.now(),
        "crumbs": [(_("People"), reverse("people")), (username, "")],
    }
    return render(request, "pages/people/person.html", context, status=max(status_of(details), status_of(membership)))


def _do(request: PageRequest, shown: "User", deed: str, details: Form, membership: Form) -> HttpResponse | None:
    """What a form of the page asks for; None where the form has to be shown again."""
    actor, username = request.actor, shown.username
    here = reverse("person", args=[username])
    if deed == "details":
        if details.is_valid():
            try:
                administration.update_user(actor, username=username, **details.cleaned_data)
            except InvalidParameter as error:
                show_error(details, error)
                return None
            return go(request, here, said=_("The account is changed."))
        return None
    if deed == "groups":
        if membership.is_valid():
            groups.set_groups(actor, username=username, groups=membership.cleaned_data.get("groups", []))
            return go(request, here, said=_("The groups are set."))
        return None
    if deed == "invite":
        return _show_link(
            request, username, f"invitation/{links.invite_again(actor, username=username)}", is_mailed=True
        )
    if deed == "link":
        return _show_link(request, username, f"new-password/{links.make_password_link(actor, username=username)}")
    if deed == "withdraw":
        administration.withdraw_invitation(actor, username=username)
        return go(request, reverse("people"), said=_("The invitation is withdrawn."))
    acts: dict[str, tuple[Callable[[], None], str]] = {
        "make-admin": (
            lambda: administration.set_admin(actor, username=username, is_admin=True),
            _("They are an administrator now."),
        ),
        "take-admin": (
            lambda: administration.set_admin(actor, username=username, is_admin=False),
            _("They are no administrator any more."),
        ),
        "confirm": (
            lambda: administration.confirm_email(actor, username=username, email=request.POST.get("email", "")),
            _("The address is confirmed."),
        ),
        "deactivate": (
            lambda: administration.deactivate(actor, username=username),
            _("They are shut out: their sessions and tokens have ended."),
        ),
        "reactivate": (
            lambda: administration.reactivate(actor, username=username),
            _("They may come in again."),
        ),
    }
    if deed not in acts:
        raise InvalidParameter("The form says nothing that can be done here: reload the page and send it again.")
    act, said = acts[deed]
    act()
    return go(request, here, said=said)


def _show_link(request: PageRequest, username: str, path: str, *, is_mailed: bool = False) -> HttpResponse:
    context = {
        "link": f"{settings.PODIUM_SITE_URL}/{path}",
        "username": username,
        "is_mailed": is_mailed,
        "by_smtp": bool(settings.EMAIL_HOST),
        "crumbs": [(_("People"), reverse("people")), (username, reverse("person", args=[username])), (_("Link"), "")],
    }
    return render(request, "pages/people/link.html", context)


# -- groups ------------------------------------------------------------------------------------------------------------
@signed_in
def people_groups(request: PageRequest) -> HttpResponseBase:
    """The groups, and a form for another one."""
    rows = queries.all_groups(request.actor)
    if file := as_file(request, "groups", columns.GROUPS, lambda token: Page(list(rows.prefetch_related("user_set")))):
        return file
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = groups.create_group(request.actor, name=form.cleaned_data["name"])
        except PodiumError as error:
            show_error(form, error)
        else:
            return go(request, reverse("people_group", args=[made.pk]), said=_("The group is there. Who is in it?"))
    return render(request, "pages/people/groups.html", {"rows": rows, "form": form}, status=status_of(form))


@signed_in
def people_group(request: PageRequest, group_id: int) -> HttpResponse:
    """One group: who is in it, who joins, who leaves; and its end."""
    group = queries.get_group(request.actor, group_id)
    deed = request.POST.get("deed", "")
    form = MemberForm(request.POST if deed in ("join", "leave") else None)
    delete_form = TypedNameForm(request.POST if deed == "delete" else None, name=group.name)
    here = reverse("people_group", args=[group_id])
    if deed == "delete" and delete_form.is_valid():
        groups.delete_group(request.actor, name=group.name)
        return go(request, reverse("people_groups"), said=_("The group is deleted, and what was granted to it."))
    if deed in ("join", "leave") and form.is_valid():
        username = form.cleaned_data["username"]
        change = groups.join if deed == "join" else groups.leave
        try:
            change(request.actor, name=group.name, username=username)
        except PodiumError as error:
            show_error(form, error)
        else:
            said = _("%(name)s is in the group now.") if deed == "join" else _("%(name)s is out of the group.")
            return go(request, here, said=said % {"name": username})
    context = {
        "group": group,
        "members": queries.members_of(request.actor, group),
        "form": form,
        "delete_form": delete_form,
        "crumbs": [(_("People"), reverse("people")), (_("Groups"), reverse("people_groups")), (group.name, "")],
    }
    return render(request, "pages/people/group.html", context, status=max(status_of(form), status_of(delete_form)))
