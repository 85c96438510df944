"""An advisor certifies, refuses, passes on, asks; undoes within the minute; what then happens, happens once."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from companies.enums import OpcoOrigin
from labonnealternance.kit.states import ForbiddenMove
from labonnealternance.mail.models import Message
from offers.actions import accesses
from offers.enums import AccessStatus, CancelReason, OfferStatus
from opco.actions import advisors, cases, clock, decisions, queue
from opco.actions.cases import TakenByAnother
from opco.actions.decisions import AlreadyDecided, RefusedDecision, TooLateToUndo, version_of
from opco.actions.desks import Desk, NotInYourOpco
from opco.actions.queue import Filters
from opco.enums import DecisionKind, DecisionStatus, RefusalReason, Tab
from opco.models import HOLD, KINDS, TAKING, Case, Decision
from tests import factories
from tests.opco.desk import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    TICK,
    ask,
    certify,
    decided,
    make_advisor,
    make_desk,
    make_file,
    make_opco,
    pass_on,
    refuse,
)

pytestmark = pytest.mark.django_db


def in_tab(desk, tab, *, at=AT):
    return list(queue.rows_of(tab=tab, desk=desk, filters=Filters(), at=at))


# ── The minute ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("act", [certify, refuse, ask, pass_on])
def test_a_decision_is_held_for_one_minute_in_which_nothing_is_told_nor_published(desk, act):
    access = make_file(offers=1)
    decision = act(desk, access)
    assert (decision.status, decision.effective_at) == (DecisionStatus.HELD, AT + HOLD)
    assert clock.apply_due(at=AT + HOLD - SECOND) == 0
    access.refresh_from_db()
    assert access.status == AccessStatus.AWAITING
    assert access.offers.get().status == OfferStatus.AWAITING
    assert not Message.objects.exists()
    assert access.establishment.opco_journal.count() == 0
    assert clock.apply_due(at=AT + HOLD) == 1
    decision.refresh_from_db()
    assert (decision.status, decision.settled_at) == (DecisionStatus.APPLIED, AT + HOLD)


def test_certifying_grants_the_access_publishes_its_offers_tells_the_person_and_freezes_the_opco(desk):
    access = make_file(offers=2)
    decided(certify, desk, access)
    access.refresh_from_db()
    assert access.status == AccessStatus.GRANTED
    line = access.journal.get()
    assert (line.by, line.at) == (desk.user, AT + TICK)
    assert {offer.status for offer in access.offers.all()} == {OfferStatus.ACTIVE}
    assert sorted(Message.objects.values_list("kind", flat=True)) == ["access_granted", *["offer_published"] * 2]
    access.establishment.refresh_from_db()
    assert access.establishment.opco_is_certified
    assert access.establishment.opco_journal.get().origin == OpcoOrigin.ADVISOR


def test_refusing_denies_the_access_cancels_the_offers_and_writes_the_text_that_the_advisor_wrote(desk):
    access = make_file(offers=2)
    decided(refuse, desk, access, text="Vous n’appartenez pas\nà cette entreprise.")
    access.refresh_from_db()
    assert access.status == AccessStatus.DENIED
    assert set(access.offers.values_list("status", "cancel_reason")) == {
        (OfferStatus.CANCELLED, CancelReason.ACCESS_DENIED)
    }
    mail = Message.objects.get()
    assert (mail.kind, mail.recipient) == ("access_denied", access.user.email)
    assert "Motif : Vous n’appartenez pas\nà cette entreprise." in mail.text_body


def test_asking_writes_to_the_person_and_the_file_waits_for_an_answer(desk):
    access = make_file()
    decided(ask, desk, access)
    mail = Message.objects.get()
    assert (mail.kind, mail.recipient) == ("information_asked", access.user.email)
    assert "Quelle est votre fonction ?" in mail.text_body
    assert in_tab(desk, Tab.TO_TREAT) == []
    assert in_tab(desk, Tab.ASKED) == [access]
    access.refresh_from_db()
    assert access.status == AccessStatus.AWAITING


def test_a_file_passed_on_is_the_other_opco_s_and_leaves_the_list(desk):
    access, other = make_file(), make_desk(make_opco(2))
    decided(pass_on, desk, access, other.opco, text="C’est de la restauration.")
    access.establishment.refresh_from_db()
    assert access.establishment.opco == other.opco
    assert in_tab(desk, Tab.TO_TREAT) == []
    assert in_tab(other, Tab.TO_TREAT) == [access]
    line = access.establishment.opco_journal.get()
    assert (line.origin, line.by, line.reason) == (OpcoOrigin.ADVISOR, desk.user, "C’est de la restauration.")
    assert not Message.objects.exists()
    [decision] = queue.passed_on(desk=desk, filters=Filters(), at=AT)
    assert (decision.access, decision.to_opco) == (access, other.opco)
    assert list(queue.passed_on(desk=other, filters=Filters(), at=AT)) == []


def test_a_file_that_nobody_knows_whose_it_is_goes_to_support_and_no_service_brings_it_back(desk):
    from companies.actions import opcos

    access, support = make_file(), Desk(factories.StaffFactory(), None)
    decided(pass_on, desk, access)
    access.establishment.refresh_from_db()
    assert access.establishment.opco is None
    assert in_tab(support, Tab.TO_TREAT) == [access]
    told = opcos.assign(
        establishment_id=access.establishment_id, opco=desk.opco, origin=OpcoOrigin.SERVICE, by=None, at=AT + DAY
    )
    assert told is None
    decided(pass_on, support, access, desk.opco, at=AT + HOUR)
    assert in_tab(desk, Tab.TO_TREAT) == [access]


def test_support_certifies_a_file_without_opco(desk):
    access, support = make_file(establishment__opco=None), Desk(factories.StaffFactory(), None)
    decided(certify, support, access)
    access.refresh_from_db()
    assert access.status == AccessStatus.GRANTED
    assert not access.establishment.opco_is_certified


@pytest.mark.parametrize("act", [certify, refuse, ask, pass_on])
def test_undone_within_the_minute_it_is_as_if_nothing_had_been_decided(desk, act):
    access = make_file(offers=1)
    before = version_of(access)
    decision = act(desk, access)
    undone = decisions.undo(desk=desk, decision_id=decision.pk, at=AT + 30 * SECOND)
    assert (undone.status, undone.settled_by, undone.settled_at) == (
        DecisionStatus.UNDONE, desk.user, AT + 30 * SECOND,
    )  # fmt: skip
    assert clock.apply_due(at=AT + TICK) == 0
    assert not Message.objects.exists()
    assert in_tab(desk, Tab.TO_TREAT) == [access]
    assert version_of(access) == before, "the page that was open before is still right"


@pytest.mark.parametrize("second, is_undone", [(59, True), (60, False), (61, False)])
def test_the_clock_and_the_undo_around_the_sixtieth_second(desk, second, is_undone):
    access = make_file()
    decision, at = certify(desk, access), AT + second * SECOND
    assert clock.apply_due(at=at) == (not is_undone)
    if is_undone:
        decisions.undo(desk=desk, decision_id=decision.pk, at=at)
    else:
        with pytest.raises(TooLateToUndo):
            decisions.undo(desk=desk, decision_id=decision.pk, at=at)
    clock.apply_due(at=at + HOUR)
    access.refresh_from_db()
    assert access.status == (AccessStatus.AWAITING if is_undone else AccessStatus.GRANTED)
    assert Message.objects.count() == (not is_undone)


def test_what_no_clock_has_applied_yet_is_undone_after_the_minute_too(desk):
    decision = certify(desk, make_file())
    assert decisions.undo(desk=desk, decision_id=decision.pk, at=AT + HOUR).status == DecisionStatus.UNDONE


def test_undoing_twice_is_no_error_and_once_applied_it_is_too_late(desk):
    access = make_file()
    decision = certify(desk, access)
    for _ in range(2):
        decisions.undo(desk=desk, decision_id=decision.pk, at=AT + SECOND)
    again = decided(certify, desk, access, at=AT + MINUTE)
    with pytest.raises(TooLateToUndo, match="La minute est passée"):
        decisions.undo(desk=desk, decision_id=again.pk, at=AT + 3 * MINUTE)
    assert Message.objects.filter(kind="access_granted").count() == 1


def test_a_colleague_of_the_same_opco_may_undo_another_opco_may_not(desk):
    access = make_file()
    decision = certify(desk, access)
    with pytest.raises(NotInYourOpco):
        decisions.undo(desk=make_desk(make_opco(2)), decision_id=decision.pk, at=AT + SECOND)
    colleague = make_desk(desk.opco)
    assert decisions.undo(desk=colleague, decision_id=decision.pk, at=AT + SECOND).settled_by == colleague.user


# ── Who came before ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_second_one_is_told_who_decided_and_when(desk):
    access, colleague = make_file(), make_desk(desk.opco, first_name="Bruno", last_name="Second")
    seen = version_of(access)
    certify(desk, access)
    with pytest.raises(AlreadyDecided) as told:
        decisions.refuse(
            desk=colleague, access_id=access.pk, seen=seen, at=AT + 10 * SECOND, text="Non.",
            reason=RefusalReason.OTHER,
        )  # fmt: skip
    assert str(told.value) == "Décision déjà prise par Anne Conseil à 9 h 30 : certifié."
    assert (told.value.by, told.value.at) == (desk.user, AT)


def test_the_same_button_pressed_twice_is_one_decision(desk):
    access = make_file()
    seen = version_of(access)
    first = decisions.certify(desk=desk, access_id=access.pk, seen=seen, at=AT)
    assert decisions.certify(desk=desk, access_id=access.pk, seen=seen, at=AT + SECOND) == first
    assert Decision.objects.count() == 1


def test_another_text_is_another_decision_and_is_refused(desk):
    access = make_file()
    ask(desk, access)
    with pytest.raises(AlreadyDecided):
        ask(desk, access, text="Autre question ?")


def test_a_page_that_is_behind_never_overturns_what_was_decided_since(desk):
    access, colleague = make_file(), make_desk(desk.opco)
    seen = version_of(access)
    decided(refuse, desk, access)
    with pytest.raises(AlreadyDecided, match="par Anne Conseil à 9 h 30 : refusé"):
        decisions.certify(desk=colleague, access_id=access.pk, seen=seen, at=AT + HOUR)
    access.refresh_from_db()
    # Whoever has read the refusal may certify after all.
    decided(certify, colleague, access, at=AT + HOUR)
    access.refresh_from_db()
    assert access.status == AccessStatus.GRANTED


def test_what_support_decided_in_the_back_office_is_told_too_the_day_as_well(desk):
    access = make_file()
    seen = version_of(access)
    support = factories.StaffFactory(first_name="Sam", last_name="Support")
    accesses.deny(access_id=access.pk, by=support, at=AT, reason="Fraude")
    with pytest.raises(AlreadyDecided, match="par Sam Support le 23/11/2026 à 9 h 30 : refusé"):
        decisions.certify(desk=desk, access_id=access.pk, seen=seen, at=AT + DAY)


def test_what_the_service_granted_by_itself_is_told_too(desk):
    access = make_file()
    seen = version_of(access)
    factories.ContactFactory(siret=access.establishment.siret, email=access.user.email)
    accesses.judge(access_id=access.pk, at=AT)
    with pytest.raises(AlreadyDecided, match="par le service, automatiquement à 9 h 30 : accordé"):
        decisions.refuse(desk=desk, access_id=access.pk, seen=seen, at=AT, text="Non.", reason=RefusalReason.OTHER)


def test_a_page_that_says_nothing_of_what_it_showed_decides_nothing(desk):
    access = make_file()
    for seen in ("", "x", "awaiting.999", "granted.0"):
        with pytest.raises(RefusedDecision, match="relisez-le"):
            decisions.certify(desk=desk, access_id=access.pk, seen=seen, at=AT)
    assert not Decision.objects.exists()


def test_one_decision_is_held_on_a_file_at_most_says_the_database_too(desk):
    access = make_file()
    decision = certify(desk, access)
    with pytest.raises(IntegrityError, match="opco_one_held_decision_per_access"), transaction.atomic():
        Decision.objects.create(
            access=access, kind=DecisionKind.CERTIFY, made_by=desk.user, made_at=AT, effective_at=AT
        )
    decisions.undo(desk=desk, decision_id=decision.pk, at=AT)
    certify(desk, access)


# ── What may be decided of what ──────────────────────────────────────────────────────────────────────────────────────


def put(access, desk, status):
    """Brings ``access`` to ``status`` by who may."""
    if status == AccessStatus.GRANTED:
        accesses.grant(access_id=access.pk, by=desk.user, at=AT)
    elif status == AccessStatus.DENIED:
        accesses.deny(access_id=access.pk, by=desk.user, at=AT, reason="Non")
    access.refresh_from_db()


@pytest.mark.parametrize("status, kind", [*itertools.product(AccessStatus, DecisionKind)])
def test_each_status_of_an_access_with_each_decision(desk, status, kind):
    access = make_file()
    put(access, desk, status)
    act = {"certify": certify, "refuse": refuse, "pass_on": pass_on, "ask": ask}[kind]
    if kind in KINDS[status]:
        assert decided(act, desk, access, at=AT + HOUR).status == DecisionStatus.APPLIED
    else:
        with pytest.raises(AlreadyDecided):
            act(desk, access, at=AT + HOUR)
        assert not Decision.objects.exists()


@pytest.mark.parametrize("held, then", [*itertools.product(DecisionKind, DecisionKind)])
def test_while_one_decision_is_held_no_other_is_taken(desk, held, then):
    acts = {"certify": certify, "refuse": refuse, "pass_on": pass_on, "ask": ask}
    access, colleague = make_file(), make_desk(desk.opco)
    acts[held](desk, access)
    with pytest.raises(AlreadyDecided):
        acts[then](colleague, access, at=AT + SECOND)
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("before, after", [*itertools.product(DecisionStatus, DecisionStatus)])
def test_the_statuses_of_a_decision_each_with_each(desk, before, after):
    decision = certify(desk, make_file())
    if before != DecisionStatus.HELD:
        decision.settle(to=before, by=None, at=AT)
    if before == DecisionStatus.HELD and after != DecisionStatus.HELD:
        decision.settle(to=after, by=None, at=AT)
        decision.refresh_from_db()
        assert (decision.status, decision.settled_at) == (after, AT)
    else:
        with pytest.raises(ForbiddenMove, match="ne peut pas devenir"):
            decision.settle(to=after, by=None, at=AT)
        decision.refresh_from_db()
        assert decision.status == before


@pytest.mark.parametrize("before, after", [*itertools.product(DecisionKind, DecisionKind)])
def test_after_each_decision_each_other_one_does_what_it_says_or_is_refused(desk, before, after):
    """The product of the decisions with themselves, each applied, through whoever has the file then."""
    acts = {"certify": certify, "refuse": refuse, "pass_on": pass_on, "ask": ask}
    status = {"certify": AccessStatus.GRANTED, "refuse": AccessStatus.DENIED}
    access, other = make_file(offers=1), make_desk(make_opco(2))
    where = {"to": other.opco} if before == DecisionKind.PASS_ON else {}
    decided(acts[before], desk, access, **where)
    access.refresh_from_db()
    assert access.status == status.get(before, AccessStatus.AWAITING)
    owner = other if before == DecisionKind.PASS_ON else desk
    if after not in KINDS[AccessStatus(access.status)]:
        with pytest.raises(AlreadyDecided):
            acts[after](owner, access, at=AT + HOUR)
        return
    decided(acts[after], owner, access, at=AT + HOUR)
    before_it = access.status
    access.refresh_from_db()
    assert access.status == status.get(after, before_it)
    waits = Case.objects.filter(access=access, asked_at__isnull=False).exists()
    assert waits == (after == DecisionKind.ASK)


def test_a_refusal_and_a_question_say_something(desk):
    access = make_file()
    for act in (refuse, ask):
        with pytest.raises(RefusedDecision):
            act(desk, access, text=" \n ")
    assert not Decision.objects.exists()


def test_a_file_is_not_passed_on_to_whom_it_is_with(desk):
    with pytest.raises(RefusedDecision, match="déjà chez OPCO 1"):
        pass_on(desk, make_file(), desk.opco)
    with pytest.raises(RefusedDecision, match="déjà au support"):
        pass_on(Desk(factories.StaffFactory(), None), make_file(establishment__opco=None))


def test_nobody_judges_themselves(desk):
    own = make_file(user=desk.user)
    for act in (certify, refuse, ask, pass_on):
        with pytest.raises(RefusedDecision, match="votre propre demande"):
            act(desk, own)


# ── What changes within the minute ───────────────────────────────────────────────────────────────────────────────────


def test_a_decision_of_someone_deactivated_within_the_minute_has_no_effect(desk):
    access = make_file()
    decision = certify(desk, access)
    support = factories.StaffFactory()
    advisors.deactivate(advisor_id=desk.user.advisor.pk, by=support, at=AT + SECOND)
    assert in_tab(make_desk(desk.opco), Tab.TO_TREAT, at=AT + SECOND) == [access], "at once"
    # Nor where they come back before it would have been applied.
    advisors.appoint(email=desk.user.email, first_name="", last_name="", opco=desk.opco, by=support, at=AT + 2 * SECOND)
    assert clock.apply_due(at=AT + TICK) == 0
    decision.refresh_from_db()
    assert (decision.status, decision.settled_reason) == (
        DecisionStatus.DROPPED, "Le conseiller a été désactivé entre-temps.",
    )  # fmt: skip
    access.refresh_from_db()
    assert access.status == AccessStatus.AWAITING
    assert in_tab(make_desk(desk.opco), Tab.TO_TREAT) == [access]


def test_a_decision_about_an_establishment_that_changed_opco_within_the_minute_has_no_effect(desk):
    first, second = make_file(), None
    second = make_file(establishment=first.establishment)
    passed = pass_on(desk, first, make_opco(2))
    held = certify(desk, second, at=AT + SECOND)
    assert clock.apply_due(at=AT + TICK) == 1
    for decision in (passed, held):
        decision.refresh_from_db()
    assert (passed.status, held.status) == (DecisionStatus.APPLIED, DecisionStatus.DROPPED)
    assert held.settled_reason == "L’établissement a changé d’OPCO entre-temps."
    assert not Message.objects.exists()


def test_a_decision_that_support_forestalled_within_the_minute_writes_no_second_mail(desk):
    access = make_file()
    decision = certify(desk, access)
    accesses.grant(access_id=access.pk, by=factories.StaffFactory(), at=AT + SECOND)
    assert clock.apply_due(at=AT + TICK) == 0
    decision.refresh_from_db()
    assert decision.status == DecisionStatus.DROPPED
    assert Message.objects.filter(kind="access_granted").count() == 1


def test_one_decision_that_fails_does_not_stop_the_others_and_is_tried_again(desk, caplog):
    bad, good = make_file(user__email="sans-arobase"), make_file()
    decision = certify(desk, bad)
    certify(desk, good, at=AT + SECOND)
    assert clock.apply_due(at=AT + TICK) == 1
    decision.refresh_from_db()
    bad.refresh_from_db()
    assert (decision.status, bad.status) == (DecisionStatus.HELD, AccessStatus.AWAITING), "nothing of it is done"
    bad.user.email = "corrigee@exemple.fr"
    bad.user.save()
    assert clock.apply_due(at=AT + 2 * TICK) == 1
    assert Message.objects.filter(kind="access_granted").count() == 2


def test_the_other_files_of_an_establishment_that_is_passed_on_are_nobody_s_any_more(desk):
    first, other = make_file(), make_desk(make_opco(2))
    second = make_file(establishment=first.establishment)
    cases.take(desk=make_desk(desk.opco), access_id=second.pk, at=AT)
    decided(pass_on, desk, first, other.opco)
    certify(other, second, at=AT + 2 * MINUTE)


# ── Taking, releasing, noting ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_a_colleague_took_is_not_decided_by_another(desk):
    access, colleague = make_file(), make_desk(desk.opco, first_name="Bruno", last_name="Second")
    cases.take(desk=colleague, access_id=access.pk, at=AT)
    for act in (certify, refuse, ask, pass_on):
        with pytest.raises(TakenByAnother, match="Dossier pris par Bruno Second à 9 h 30"):
            act(desk, access, at=AT + HOUR)
    certify(colleague, access, at=AT + HOUR)
    assert Case.objects.get().taken_by is None, "a decision gives the file back"


def test_a_taking_older_than_two_hours_is_free_again(desk):
    access, colleague = make_file(), make_desk(desk.opco)
    cases.take(desk=colleague, access_id=access.pk, at=AT)
    with pytest.raises(TakenByAnother):
        certify(desk, access, at=AT + TAKING - SECOND)
    certify(desk, access, at=AT + TAKING)


def test_a_file_is_taken_over_only_from_whom_the_page_showed(desk):
    access, colleague, third = make_file(), make_desk(desk.opco), make_desk(desk.opco)
    cases.take(desk=colleague, access_id=access.pk, at=AT)
    with pytest.raises(TakenByAnother):
        cases.take(desk=desk, access_id=access.pk, at=AT + SECOND)
    cases.take(desk=desk, access_id=access.pk, at=AT + SECOND, instead_of=colleague.user.pk)
    with pytest.raises(TakenByAnother):
        cases.take(desk=third, access_id=access.pk, at=AT + 2 * SECOND, instead_of=colleague.user.pk)
    assert Case.objects.get().taken_by == desk.user


def test_only_who_took_a_file_gives_it_back(desk):
    access, colleague = make_file(), make_desk(desk.opco)
    cases.take(desk=colleague, access_id=access.pk, at=AT)
    with pytest.raises(TakenByAnother):
        cases.release(desk=desk, access_id=access.pk, at=AT)
    for _ in range(2):
        cases.release(desk=colleague, access_id=access.pk, at=AT)
    certify(desk, access)


def test_a_note_sent_twice_is_one(desk):
    from uuid import uuid4

    access, key = make_file(), uuid4()
    for _ in range(2):
        cases.note(desk=desk, access_id=access.pk, text=" À rappeler. ", key=key, at=AT)
    assert [(note.by, note.text) for note in access.notes.all()] == [(desk.user, "À rappeler.")]


# ── Advisors ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_deactivated_an_advisor_has_no_desk_no_session_no_file_and_no_role_but_keeps_the_account(client):
    from opco.actions.desks import desk_of

    advisor = make_advisor()
    support = factories.StaffFactory()
    client.force_login(advisor.user, backend="django.contrib.auth.backends.ModelBackend")
    access = make_file()
    cases.take(desk=desk_of(user=advisor.user), access_id=access.pk, at=AT)
    for _ in range(2):
        advisors.deactivate(advisor_id=advisor.pk, by=support, at=AT)
    assert desk_of(user=advisor.user) is None
    assert not advisor.user.sessions.exists()
    assert advisor.user.roles == []
    assert Case.objects.get().taken_by is None
    advisor.user.refresh_from_db()
    assert advisor.user.is_active


def test_support_appoints_advisors_for_one_opco_and_they_come_back(db):
    support, one, two = factories.StaffFactory(), make_opco(1), make_opco(2)
    person = {"email": " Anne@Exemple.fr ", "first_name": "Anne", "last_name": "Conseil"}
    advisor = advisors.appoint(**person, opco=one, by=support, at=AT)
    assert (advisor.user.email, advisor.user.get_full_name(), advisor.opco) == ("anne@exemple.fr", "Anne Conseil", one)
    assert [role.label for role in advisor.user.roles] == ["Conseiller OPCO"]
    assert not advisor.user.has_usable_password()
    with pytest.raises(advisors.NotAppointed, match="déjà conseillère de OPCO 1"):
        advisors.appoint(**person, opco=two, by=support, at=AT)
    advisors.deactivate(advisor_id=advisor.pk, by=support, at=AT)
    again = advisors.appoint(**person, opco=two, by=support, at=AT)
    assert (again.pk, again.opco, again.is_active) == (advisor.pk, two, True)
    with pytest.raises(advisors.NotAppointed, match="support"):
        advisors.appoint(email=support.email, first_name="", last_name="", opco=one, by=support, at=AT)
    with pytest.raises(advisors.NotAppointed, match="désactivé"):
        shut = factories.UserFactory(is_active=False)
        advisors.appoint(email=shut.email, first_name="", last_name="", opco=one, by=support, at=AT)
