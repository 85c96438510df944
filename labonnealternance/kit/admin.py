"""The back-office's manner: admin shows, actions act.

A model is shown by ``ShownAdmin``: nothing is typed into its columns. What may be done to an object is a *button*: a
method that makes one call into the app's actions, behind a page that asks what it needs and says what it will do.

    @admin.register(VisibilityDecision)
    class VisibilityDecisionAdmin(ShownAdmin):
        buttons = ["revoke"]

        @button("Annuler la décision", form=ReasonForm, warning="L'établissement sera de nouveau visible.")
        def revoke(self, request, decision, answers):
            visibility.revoke(decision_id=decision.pk, by=request.user, at=timezone.now(), **answers)
            return "La décision est annulée."
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import connections, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

from labonnealternance.kit import readings
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.kit.panels import panels_of

LONGEST_EXACT_COUNT = 10_000
# A choice is made, never left as it stood.
NOT_CHOSEN = ("", "— À choisir —")


class Refused(Exception):
    """What a button could not do, as a French sentence that the person reads."""


@dataclass(frozen=True)
class Button:
    """One thing that may be done to an object.

    ``form`` asks what the action needs: a form, or a function of the object that gives one; ``warning`` is shown
    before; ``typed`` names what must be typed again before something that can't be undone; ``when`` says for which
    objects the button exists; ``permission`` is a codename (``change`` by default); ``refusals`` are the named
    exceptions of the action, whose text is shown as it stands; ``preview``, a function of the object and of the
    answers, gives the text that is read before the button acts: what will be sent, and to whom, unless ``previewed``
    names something else; ``gives_file`` where it answers by a file, which leaves the page where it was.
    """

    label: str
    method: Callable
    form: type[forms.Form] | Callable[[Any], type[forms.Form]]
    warning: str
    typed: Callable[[Any], str] | None
    when: Callable[[Any], bool]
    permission: str
    refusals: tuple[type[Exception], ...]
    preview: Callable[[Any, dict], str] | None
    previewed: str
    gives_file: bool

    @property
    def name(self) -> str:
        return self.method.__name__


def button(
    label: str,
    *,
    form: type[forms.Form] | Callable[[Any], type[forms.Form]] = forms.Form,
    warning: str = "",
    typed: Callable[[Any], str] | None = None,
    when: Callable[[Any], bool] = lambda instance: True,
    permission: str = "change",
    refusals: tuple[type[Exception], ...] = (),
    preview: Callable[[Any, dict], str] | None = None,
    previewed: str = "Ce qui sera envoyé",
    gives_file: bool = False,
) -> Callable[[Callable], Callable]:
    """Makes a button of a method ``(self, request, instance, answers) -> sentence`` named in ``buttons``."""

    def decorate(method: Callable) -> Callable:
        method.button = Button(  # type: ignore[attr-defined]
            label, method, form, warning, typed, when, permission, (Refused, *refusals), preview, previewed, gives_file
        )
        return method

    return decorate


def table(rows: Iterable[Iterable], headings: Sequence[str], *, none: str = "Aucun.") -> str:
    """Rows shown in a field of a page; ``none`` where there is no row."""
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return none
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", '<th scope="col">{}</th>', ((heading,) for heading in headings)),
        format_html_join("", "<tr>{}</tr>", cells),
    )


def author(person: Any, *, otherwise: Any = "—", in_full: bool = False) -> Any:
    """Who did something, by their name where they have one: the address is read by pointing at it, or beside it where
    there is room (``in_full``). ``otherwise`` is said where nobody did.
    """
    if person is None:
        return otherwise
    name, address = person.get_full_name(), person.email
    if name == address:
        return address
    return format_html("{} ({})" if in_full else '<span title="{1}">{0}</span>', name, address)


def moment(at: datetime | None) -> str:
    """A moment as the back-office writes it, in Paris; "" for none."""
    return timezone.localtime(at).strftime("%d/%m/%Y %H:%M") if at else ""


class ReasonForm(forms.Form):
    """Why: what a journal keeps of a button."""

    reason = ParagraphsField(
        label="Raison",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Elle est gardée avec votre nom.",
    )


class BoundedPaginator(Paginator):
    """Counts a whole large table by PostgreSQL's estimate, and a filtered list up to ``LONGEST_EXACT_COUNT``."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        exact = rows.order_by()[: LONGEST_EXACT_COUNT + 1].count()
        if exact <= LONGEST_EXACT_COUNT or rows.query.where:
            return exact
        with connections[rows.db].cursor() as cursor:
            # The rows of a partitioned table are counted on its partitions.
            cursor.execute(
                "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND oid IN"
                " (SELECT relid FROM pg_partition_tree(%(table)s::regclass) UNION SELECT %(table)s::regclass)",
                {"table": f'"{rows.model._meta.db_table}"'},
            )
            estimated = cursor.fetchone()[0]
        return max(estimated, exact)


# What the journal calls the pages that Django names itself.
_SCREENS = {"change": "Fiche", "history": "Historique"}


@cache
def _authors(model: str, in_full: bool) -> dict[Any, Any]:
    """A column for each person who did something to a row; ``user`` is whom the row is about."""

    def column(field: models.Field) -> Callable:
        @admin.display(description=str(field.verbose_name), ordering=field.name)
        def shown(row):
            return author(getattr(row, field.name), in_full=in_full)

        shown.__name__ = field.name
        return shown

    people = (
        each
        for each in apps.get_model(model)._meta.fields
        if each.related_model is get_user_model() and each.name != "user"
    )
    return {each.name: column(each) for each in people}


class NamesAuthors(admin.options.BaseModelAdmin):
    """Columns that point to who did something are read by the person's name (``author``)."""

    authors_in_full = False

    def get_fieldsets(self, request, obj=None):
        authors = _authors(self.opts.label, self.authors_in_full)
        return [
            (title, {**options, "fields": [authors.get(name, name) for name in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *_authors(self.opts.label, self.authors_in_full).values()]


class ShownAdmin(NamesAuthors, admin.ModelAdmin):
    """Shows rows and changes none of their columns; ``buttons`` names the methods made by ``@button``.

    Whoever opens a page of an object is noted (``readings``), unless nothing of the model is about people
    (``is_personal = False``). A page of one's own that finds its object by ``get_object`` is noted too.
    """

    is_personal = True
    authors_in_full = True

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    # The counts of the filters would each read the whole table.
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    change_form_template = "admin/shown.html"
    buttons: list[str] = []
    # What the apps' panels are told about (``kit.panels``), where they tell of these rows.
    told_about = ""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_list_display(self, request):
        authors = _authors(self.opts.label, False)
        return [authors.get(name, name) for name in super().get_list_display(request)]

    def get_object(self, request, object_id, from_field=None):
        """Every page of an object comes through here."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and self.is_personal and self.has_view_permission(request, found):
            self._note_reading(request, found)
        return found

    def _note_reading(self, request: HttpRequest, found: Any) -> None:
        """Once for a page, however often it looks its object up."""
        noted = request.__dict__.setdefault("noted_readings", set())
        if (self.opts.label_lower, found.pk) in noted:
            return
        noted.add((self.opts.label_lower, found.pk))
        match = request.resolver_match
        page = (match.url_name or "" if match else "").removeprefix(f"{self.opts.app_label}_{self.opts.model_name}_")
        screen = self._button(page).label if page in self.buttons else _SCREENS.get(page, page)
        readings.note(
            by=request.user, at=timezone.now(), screen=screen, model=self.opts.label_lower, object_key=found.pk
        )

    def links(self, request: HttpRequest, instance: Any) -> list[dict[str, str]]:
        """Other pages about the object that are reached like its buttons, each ``{"label": …, "url": …}``."""
        return []

    def _button(self, name: str) -> Button:
        return getattr(type(self), name).button

    def _may_press(self, request: HttpRequest, button: Button) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{button.permission}_{self.opts.model_name}")

    def _button_url(self, name: str, pk: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=[pk])

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def get_urls(self):
        pages = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self._button_view(self._button(name))),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{name}",
            )
            for name in self.buttons
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def response_action(self, request, queryset, *others, **named):
        """Rows named by what can't be their key are a 400: Django would answer by a fault."""
        for name in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(name)
            except ValidationError:
                raise BadRequest("key") from None
        return super().response_action(request, queryset, *others, **named)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        instance = self.get_object(request, unquote(object_id))
        shown = [self._button(name) for name in self.buttons]
        extra_context = {
            "title": capfirst(str(self.opts.verbose_name)),
            "list_url": self._list_url(),
            "buttons": [
                {"label": each.label, "url": self._button_url(each.name, instance.pk)}
                for each in shown
                if instance is not None and each.when(instance) and self._may_press(request, each)
            ]
            + (self.links(request, instance) if instance is not None else []),
            "panels": self._panels(request, instance) if instance is not None and self.told_about else [],
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, extra_context)

    def panel_key(self, instance: Any) -> str:
        """What names a row to the panels of the other apps."""
        return str(instance.pk)

    def _panels(self, request: HttpRequest, instance: Any) -> list[dict[str, Any]]:
        told = panels_of(self.told_about, key=self.panel_key(instance), user=request.user, at=timezone.now())
        shown = []
        for each in told:
            rows = list(each.rows)
            shown.append(
                {
                    "title": each.title,
                    "words": each.words,
                    "table": table(rows, each.headings, none=each.none),
                    "more": each.more if rows else "",
                }
            )
        return shown

    def add_view(self, request, form_url="", extra_context=None):
        extra_context = {
            "title": f"Ajouter : {self.opts.verbose_name}",
            "list_url": self._list_url(),
            # One thing at a time: what was added is then shown in its list.
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return super().add_view(request, form_url, extra_context)

    def _button_view(self, button: Button) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not self._may_press(request, button):
                raise PermissionDenied
            instance = self.get_object(request, unquote(object_id))
            if instance is None:
                raise Http404
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk])
            if not button.when(instance):
                self.message_user(request, f"« {button.label} » n’est plus possible ici.", messages.WARNING)
                return HttpResponseRedirect(back)
            form = _with_typed_name(button, instance)(request.POST if request.method == "POST" else None)
            preview = ""
            if request.method == "POST" and form.is_valid():
                answers = {name: value for name, value in form.cleaned_data.items() if name != "typed"}
                preview = button.preview(instance, answers) if button.preview else ""
            # What was not read as it stands, the button does not do.
            seen = hashlib.sha256(preview.encode()).hexdigest() if preview else ""
            if request.method == "POST" and form.is_valid() and request.POST.get("seen", "") == seen:
                try:
                    sentence = button.method(self, request, instance, answers)
                except button.refusals as refusal:
                    form.add_error(None, str(refusal))
                else:
                    if isinstance(sentence, HttpResponse):
                        return sentence
                    self.log_change(request, instance, button.label)
                    self.message_user(request, sentence, messages.SUCCESS)
                    return HttpResponseRedirect(back)
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": instance,
                "title": button.label,
                "button": button,
                "form": form,
                "preview": preview,
                "seen": seen,
                "back": back,
                "list_url": self._list_url(),
            }
            return TemplateResponse(request, "admin/button.html", context)

        return view


class ShownInline(NamesAuthors, admin.TabularInline):
    """Rows shown under the row that they belong to, to whoever sees it: none is added, changed nor taken away there."""

    template = "admin/shown_inline.html"
    extra = 0
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


def _with_typed_name(button: Button, instance: Any) -> type[forms.Form]:
    """The button's form and, before what can't be undone, the name to type again."""
    asked: type[forms.Form] = button.form if isinstance(button.form, type) else button.form(instance)
    if button.typed is None:
        return asked
    expected = button.typed(instance)

    class Form(asked):  # type: ignore[valid-type,misc]
        typed = forms.CharField(
            label="Pour confirmer, recopiez",
            help_text=expected,
            max_length=254,
            widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        )

        def clean_typed(self) -> str:
            if self.cleaned_data["typed"].strip() != expected:
                raise forms.ValidationError(f"Ce n’est pas la même chose que « {expected} ».")
            return expected

    return Form
