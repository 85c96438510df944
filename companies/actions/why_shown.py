"""Why is this establishment shown, or not? Each condition of ``listed`` with its fact, at a moment.

The conditions are those of ``EstablishmentQuerySet.showable`` and ``listed``, one by one, in the same words; a test
compares the two answers over the product of their cases. For a moment of the past, decisions and corrections are read
as they stood; the facts of the registry, and the imported contacts, are today's: nobody keeps the former ones.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from companies.enums import Channel, DecisionKind, DecisionScope, ReleaseStatus
from companies.models import (
    Contact,
    ContactCorrection,
    Establishment,
    HiringPotential,
    Release,
    ReleaseMove,
    Rome,
    SearchEdition,
    VisibilityDecision,
    spaced_siret,
)
from companies.models.visibility import HIDING
from labonnealternance.kit.text import counted, french_date, french_moment, uncapitalised

LONGEST_JOB_LIST = 20
MOST_DECISIONS = 50
# Below, a moment is now.
_NOW = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Condition:
    """One thing that being shown hangs on.

    ``fact``: a sentence; ``since``: a day or a moment in words, "" where nobody knows; ``because``: how it goes on
    after « parce que », for one that does not hold.
    """

    name: str
    holds: bool
    fact: str
    since: str = ""
    because: str = ""


@dataclass(frozen=True)
class Told:
    """A decision that reaches the establishment: whether it stands at the moment, and what became of it since."""

    decision: VisibilityDecision
    stands: bool
    state: str


@dataclass(frozen=True)
class Job:
    """A job that the establishment is shown for; ``rank``: what says its place among the others, in words."""

    rome: Rome
    is_asked_for: bool
    rank: str


@dataclass(frozen=True)
class Answer:
    """``conditions``: what being shown hangs on; ``others``: what it does not, and that is asked all the same."""

    siret: str
    at: dt.datetime
    is_past: bool
    establishment: Establishment | None
    conditions: list[Condition]
    others: list[Condition]
    decisions: list[Told]
    jobs: list[Job]
    is_showable: bool
    is_listed: bool
    is_shown: bool
    verdict: str
    # Whether its jobs are those of the release online today, whose reasons can be told.
    is_of_today: bool = False
    remarks: list[str] = field(default_factory=list)


def why_shown(*, siret: str, at: dt.datetime, now: dt.datetime) -> Answer:
    """The answer for ``siret`` (14 digits, imported or not) at the moment ``at``; ``now`` says whether it is past.

    Takes as many queries whatever is known.
    """
    establishment = (
        Establishment.objects.filter(siret=siret).select_related("commune", "last_import", "naf").first()
    )  # fmt: skip
    is_past = at < now - _NOW
    email, phone = _contacts(siret, at)
    told = _decisions(siret, email, at)
    standing = [each.decision for each in told if each.stands]
    hiding = [each for each in standing if each.kind in HIDING]
    asked = [each for each in standing if each.kind == DecisionKind.LISTED and each.scope == DecisionScope.SIRET]
    hidden = [each for each in standing if each.kind == DecisionKind.CHANNEL_HIDDEN]
    release, edition = _online(at)
    later = VisibilityDecision.objects.about(siret=siret, email=email).filter(starts_at__gt=at, starts_at__lte=now)
    jobs = _jobs(establishment, asked, release, edition, is_silent=_is_silent(email, phone, hidden))

    known = [_known(establishment, siret)]
    showable = [*_open_and_diffusible(establishment, at), _unhidden(hiding)]
    listed = _placed_and_employer(establishment, asked)
    is_showable = establishment is not None and all(each.holds for each in showable)
    is_listed = is_showable and all(each.holds for each in listed)
    are_jobs_unknown = bool(release and release.dropped_at and not jobs)
    with_jobs = [] if are_jobs_unknown else [_some_job(establishment, jobs, release)]
    # Of an establishment that is not there only the decisions say something.
    conditions = [*known, *showable, *listed, *with_jobs] if establishment else [*known, _unhidden(hiding)]
    return Answer(
        siret=siret,
        at=at,
        is_past=is_past,
        establishment=establishment,
        conditions=conditions,
        others=_others(establishment, email, phone, hidden),
        decisions=told,
        jobs=jobs,
        is_showable=is_showable,
        is_listed=is_listed,
        is_shown=is_listed and bool(jobs),
        verdict=_verdict(conditions, jobs, release if is_listed and are_jobs_unknown else None),
        is_of_today=release is not None and release.status == ReleaseStatus.CURRENT,
        remarks=_remarks(
            is_past=is_past, is_future=at > now + _NOW, release=release, edition=edition, later=later.count()
        ),
    )


# ── What is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _contacts(siret: str, at: dt.datetime) -> tuple[str, str]:
    """The e-mail address and the phone known at ``at``: the correction of then, else what is imported today."""
    contact = Contact.objects.filter(siret=siret).first()
    imported = {Channel.EMAIL: contact.email, Channel.PHONE: contact.phone} if contact else {}
    corrections = ContactCorrection.objects.filter(siret=siret, decided_at__lte=at)
    latest = corrections.order_by("siret", "channel", "-decided_at", "-id").distinct("siret", "channel")
    values = imported | {Channel(each.channel): each.value for each in latest}
    return values.get(Channel.EMAIL, ""), values.get(Channel.PHONE, "")


def _decisions(siret: str, email: str, at: dt.datetime) -> list[Told]:
    """The decisions made until ``at`` that reach ``siret``: those that stand first, then the latest others."""
    about = VisibilityDecision.objects.about(siret=siret, email=email).filter(starts_at__lte=at)
    about = about.select_related("decided_by", "revoked_by").order_by("-starts_at", "-pk")
    stands = (Q(revoked_at__isnull=True) | Q(revoked_at__gt=at)) & (Q(ends_at__isnull=True) | Q(ends_at__gt=at))
    over = about.exclude(stands)[:MOST_DECISIONS]
    return [
        *(Told(each, True, _state(each, at)) for each in about.filter(stands)[:MOST_DECISIONS]),
        *(Told(each, False, _state(each, at)) for each in over),
    ]


def _state(decision: VisibilityDecision, at: dt.datetime) -> str:
    """Where the decision stands at ``at``, and what became of it since."""
    if decision.revoked_at is not None and decision.revoked_at <= at:
        return f"annulée le {french_moment(decision.revoked_at)} : {decision.revocation_reason}"
    if decision.ends_at is not None and decision.ends_at <= at:
        return f"terminée le {_last_day(decision)}"
    until = f"en vigueur jusqu’au {_last_day(decision)}" if decision.ends_at else "en vigueur, sans fin"
    if decision.revoked_at is not None:
        return f"{until} ; annulée depuis, le {french_moment(decision.revoked_at)}"
    return until


def _online(at: dt.datetime) -> tuple[Release | None, SearchEdition | None]:
    """The release that the public read at ``at``, and the edition that gives its order today."""
    current = Release.objects.filter(status=ReleaseStatus.CURRENT).first()
    edition = SearchEdition.objects.filter(is_current=True).first()
    if current is not None and current.published_at is not None and current.published_at <= at:
        return current, edition
    came = ReleaseMove.objects.filter(to_status=ReleaseStatus.CURRENT, at__lte=at).select_related("release")
    last = came.order_by("-at", "-pk").first()
    if last is None:
        return None, None
    left = ReleaseMove.objects.filter(
        release_id=last.release_id, from_status=ReleaseStatus.CURRENT, at__lte=at, pk__gt=last.pk
    )
    return (None if left.exists() else last.release), None


def _jobs(
    establishment: Establishment | None,
    asked: Sequence[VisibilityDecision],
    release: Release | None,
    edition: SearchEdition | None,
    *,
    is_silent: bool,
) -> list[Job]:
    """What the release names it for, highest first, then what decisions list it for."""
    if establishment is None:
        return []
    last = "après tous les autres : aucun moyen de le joindre"
    likely: list[HiringPotential] = []
    if release is not None and release.dropped_at is None:
        found = HiringPotential.objects.filter(release=release, establishment=establishment).select_related("rome")
        likely = list(found.order_by("-expected", "rome_id")[:LONGEST_JOB_LIST])
    codes = {code for decision in asked for code in decision.rome_codes} - {each.rome_id for each in likely}
    listed = Rome.objects.filter(code__in=codes).order_by("label")[:LONGEST_JOB_LIST]
    return [
        *(Job(each.rome, False, last if is_silent else _rank(each, edition)) for each in likely),
        *(Job(rome, True, last if is_silent else "poids moyen : référencé sans score") for rome in listed),
    ]


def _rank(potential: HiringPotential, edition: SearchEdition | None) -> str:
    """How its place is drawn each day."""
    expected = f"{potential.expected:.2f}".replace(".", ",")
    noun = "contrats attendus" if potential.expected >= 2 else "contrat attendu"
    told = f"{expected} {noun} en six mois"
    if edition is None or not edition.mean_expected:
        return told
    ratio = potential.expected / edition.mean_expected
    weight = "un poids moyen" if 0.8 <= ratio <= 1.25 else f"{ratio:.1f} fois le poids moyen".replace(".", ",")
    return f"{told} : {weight} dans le tirage de chaque jour"


def _is_silent(email: str, phone: str, hidden: Sequence[VisibilityDecision]) -> bool:
    return not _reachable_by_mail(email, hidden) and not (phone and not _hides(hidden, Channel.PHONE))


def _reachable_by_mail(email: str, hidden: Sequence[VisibilityDecision]) -> bool:
    return bool(email) and not _hides(hidden, Channel.EMAIL) and not _hides(hidden, Channel.APPLICATIONS)


def _hides(hidden: Sequence[VisibilityDecision], channel: str) -> bool:
    return any(each.channel in (Channel.ALL, channel) for each in hidden)


# ── The conditions ───────────────────────────────────────────────────────────────────────────────────────────────────


def _known(establishment: Establishment | None, siret: str) -> Condition:
    name = "Il est dans nos tables"
    if establishment is None:
        return Condition(
            name,
            False,
            "Aucun import n’a apporté ce SIRET. Une décision à son sujet tiendra le jour où il arrivera.",
            because="il n’est pas dans nos tables",
        )
    brought = establishment.last_import
    fact = (
        f"Apporté par le fichier « {brought.file_name} »." if brought else "On ne sait plus quel fichier l’a apporté."
    )
    if brought is None and (establishment.checked_at or establishment.to_verify_since):
        fact = "Apporté par une inscription."
    return Condition(name, True, fact, since=f"import du {french_moment(brought.started_at)}" if brought else "")


def _open_and_diffusible(establishment: Establishment | None, at: dt.datetime) -> list[Condition]:
    if establishment is None:
        return []
    closed_on, created_on = establishment.closed_on, establishment.created_on
    opened = f"création le {french_date(created_on)}" if created_on else ""
    if closed_on is None:
        is_open = Condition("Il est ouvert", True, "Aucune fermeture au registre.", since=opened)
    elif closed_on > timezone.localdate(at):
        is_open = Condition("Il est ouvert", True, f"Il ferme le {french_date(closed_on)}.", since=opened)
    else:
        is_open = Condition(
            "Il est ouvert",
            False,
            "Fermé, selon le registre.",
            since=french_date(closed_on),
            because=f"il est fermé depuis le {french_date(closed_on)}",
        )
    updated = _updated(establishment)
    if establishment.is_diffusible:
        may_be_told = Condition("Il est diffusible", True, "L’Insee publie ses données.", since=updated)
    else:
        may_be_told = Condition(
            "Il est diffusible",
            False,
            "L’entreprise s’est opposée à la diffusion de ses données à l’Insee.",
            since=updated,
            because="il s’est opposé à la diffusion de ses données",
        )
    return [is_open, may_be_told]


def _unhidden(hiding: Sequence[VisibilityDecision]) -> Condition:
    name = "Aucune décision ne le cache"
    if not hiding:
        return Condition(name, True, "Ni retrait ni pause à ce moment.")
    facts, reasons = [], []
    for each in hiding:
        reach = {
            DecisionScope.SIRET: "",
            DecisionScope.SIREN: " avec toute son entreprise",
            DecisionScope.EMAIL: f" avec tous ceux que l’on joint par {each.value}",
        }[DecisionScope(each.scope)]
        who = each.decided_by or uncapitalised(each.get_origin_display())
        facts.append(f"{each.get_kind_display()}{reach}, par {who} : {uncapitalised(each.get_reason_display())}.")
        if each.kind == DecisionKind.PAUSED:
            reasons.append(f"une décision le met en pause{reach} jusqu’au {_last_day(each)}")
        else:
            until = f" jusqu’au {_last_day(each)}" if each.ends_at else ""
            reasons.append(f"une décision le retire{reach}{until}")
    first = min(each.starts_at for each in hiding)
    return Condition(name, False, " ".join(facts), since=french_moment(first), because=_and(reasons, "qu’"))


def _placed_and_employer(establishment: Establishment | None, asked: Sequence[VisibilityDecision]) -> list[Condition]:
    if establishment is None:
        return []
    updated = _updated(establishment)
    where = f"À {establishment.commune.name}." if establishment.commune else "Dans une commune inconnue."
    placed = Condition("Il est situé sur la carte", True, where, since=updated)
    if establishment.latitude is None:
        unverified = " Ses données restent à vérifier au registre." if establishment.to_verify_since else ""
        placed = Condition(
            "Il est situé sur la carte",
            False,
            f"Son adresse n’a pas de position.{unverified}",
            since=updated,
            because="son adresse n’est pas située sur la carte",
        )
    name = "Il est employeur, ou référencé"
    if asked:
        since = french_moment(min(each.starts_at for each in asked))
        told = "Employeur, et une décision le référence." if establishment.is_employer else "Une décision le référence."
        return [placed, Condition(name, True, told, since=since)]
    if establishment.is_employer:
        return [placed, Condition(name, True, "Employeur, selon le registre.", since=updated)]
    return [
        placed,
        Condition(
            name,
            False,
            "Il n’emploie personne, selon le registre ; « Référencer » le rendrait visible.",
            since=updated,
            because="il n’emploie personne",
        ),
    ]


def _some_job(establishment: Establishment | None, jobs: Sequence[Job], release: Release | None) -> Condition:
    name = "Un métier au moins lui est attribué"
    by_release = sum(not job.is_asked_for for job in jobs)
    by_hand = len(jobs) - by_release
    sources = []
    if by_release and release:
        sources.append(f"{counted(by_release, 'métier', 'métiers')} par la livraison {release.pk} du score")
    if by_hand:
        sources.append(f"{counted(by_hand, 'métier', 'métiers')} par une décision")
    if sources:
        online = french_moment(release.published_at) if release and release.published_at and by_release else ""
        return Condition(name, True, f"{' et '.join(sources)}.", since=online)
    told = f"La livraison {release.pk} ne le nomme pas" if release else "Aucun score n’est en ligne"
    return Condition(
        name,
        False,
        f"{told}, et aucune décision ne le référence.",
        because="aucun métier ne lui est attribué",
    )


def _others(
    establishment: Establishment | None, email: str, phone: str, hidden: Sequence[VisibilityDecision]
) -> list[Condition]:
    """What is asked about it, and changes nothing to its being shown."""
    told = [
        _channel("On peut lui écrire", email, "E-mail", _reachable_by_mail(email, hidden)),
        _channel("Son téléphone est montré", phone, "Téléphone", bool(phone) and not _hides(hidden, Channel.PHONE)),
    ]
    if establishment is None:
        return told
    if establishment.to_verify_since:
        told.append(
            Condition(
                "Le registre l’a vérifié",
                False,
                "Inscrit pendant que le registre ne répondait pas.",
                since=french_moment(establishment.to_verify_since),
            )
        )
    if establishment.refusal:
        told.append(
            Condition(
                "Ses recruteurs déposent des offres",
                False,
                f"Refusé à l’inscription : {uncapitalised(establishment.get_refusal_display())}.",
            )
        )
    return told


def _channel(name: str, value: str, noun: str, is_shown: bool) -> Condition:
    if not value:
        return Condition(name, False, f"{noun} inconnu.")
    return Condition(name, is_shown, f"{noun} connu." if is_shown else f"{noun} connu, masqué par une décision.")


# ── In words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _verdict(conditions: Sequence[Condition], jobs: Sequence[Job], dropped: Release | None) -> str:
    reasons = [each.because for each in conditions if not each.holds]
    if reasons:
        return f"Non affiché, parce {_and([_that(reason) for reason in reasons])}."
    if dropped is not None:
        return f"Affichable, sans qu’on sache pour quels métiers : la livraison {dropped.pk} n’est plus gardée."
    return f"Affiché pour {_and([f'« {job.rome.label} »' for job in jobs])}."


def _remarks(
    *, is_past: bool, is_future: bool, release: Release | None, edition: SearchEdition | None, later: int
) -> list[str]:
    remarks = []
    if is_past:
        remarks.append(
            "Les décisions et les corrections de contact sont celles de ce moment. Les faits du registre et les"
            " contacts importés sont ceux d’aujourd’hui : les anciens ne sont pas gardés."
        )
        if release is not None and edition is None:
            remarks.append(f"La livraison {release.pk} était en ligne ; l’ordre de ce jour-là n’est plus connu.")
    if is_past and later:
        since = counted(later, "autre décision à son sujet a été prise", "autres décisions à son sujet ont été prises")
        remarks.append(f"Depuis ce moment, {since}.")
    if is_future:
        remarks.append("C’est ce qui aura lieu si rien n’est décidé ni importé d’ici là.")
    return remarks


def _that(reason: str) -> str:
    """« qu'il est fermé », « que son adresse… »."""
    return f"qu’{reason}" if reason[0] in "aeiouyéèêh" else f"que {reason}"


def _and(texts: Sequence[str], before: str = "") -> str:
    """« a, b et c »; ``before`` is repeated before each but the first."""
    texts = [*texts[:1], *(f"{before}{text}" for text in texts[1:])]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} et {texts[-1]}"


def _updated(establishment: Establishment) -> str:
    updated = establishment.registry_updated_at
    return f"registre, mis à jour le {french_date(timezone.localdate(updated))}" if updated else ""


def _last_day(decision: VisibilityDecision) -> str:
    """A decision ends at the midnight that follows its last day."""
    assert decision.ends_at
    return french_date(timezone.localdate(decision.ends_at - dt.timedelta(microseconds=1)))


def in_words(answer: Answer) -> str:
    """Whom and when the answer is about."""
    name = f"{answer.establishment.display_name}, " if answer.establishment else ""
    return f"{name}SIRET {spaced_siret(answer.siret)}, le {french_moment(answer.at)}"
