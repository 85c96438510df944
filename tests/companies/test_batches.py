"""Deciding about many establishments at once: read first, done as read, undone whole; and the pages that do it."""

import datetime as dt
import re
import threading
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.actions import batches, pasted, visibility
from companies.actions.batches import BACK, Changed, Order
from companies.actions.pasted import RefusedList
from companies.actions.visibility import RefusedDecision
from companies.enums import BatchKind, Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Batch, ContactCorrection, Establishment, VisibilityDecision
from labonnealternance.accounts.enums import Role
from tests.companies.potentials import put_online
from tests.factories import (
    BatchFactory,
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    RomeFactory,
    StaffFactory,
    UserFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)
from tests.office import enter

AT = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SOON = AT + dt.timedelta(minutes=1)
LATER = AT + dt.timedelta(days=2)
END = dt.date(2026, 12, 1)


def order(text, kind=BatchKind.DELISTED, **told):
    return Order(**{"kind": kind, "text": text, "reason": "" if kind == BatchKind.CORRECTED else "other", **told})


def correcting(text):
    return order(text, BatchKind.CORRECTED, comment="Appel du siège")


def spaced(siret):
    return f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}"


def counts(asked, at=AT):
    return {name: count for name, count in batches.preview(order=asked, at=at).counts.items() if count}


def do(asked, by, at=AT):
    return batches.apply(order=asked, seen=batches.preview(order=asked, at=at).seen, by=by, at=at)


def read(text, scope=DecisionScope.SIRET):
    return pasted.read(scope=scope, text=text)


class TestPastedLists:
    @pytest.mark.parametrize(
        "between", ["\n", "\r\n", " ", ", ", ";", "\t", " | ", "\u00a0", "\n\n"], ids=lambda text: ascii(text)
    )
    def test_any_separator_is_read_and_spaces_within_the_numbers_too(self, between):
        sirets = [make_siret(n) for n in (1, 2, 3)]
        assert read(between.join(sirets)).values == sirets
        assert read(between.join(map(spaced, sirets))).values == sirets

    @pytest.mark.parametrize(
        "line", ["SIRET : {}", "n° {}", "« {} »", '"{}"', "{} ;", "Numéro SIRET : {}"[6:], "{}.", "'{}"]
    )
    def test_what_stands_around_a_number_is_no_matter(self, line):
        assert read(line.format(spaced(make_siret(1)))).values == [make_siret(1)]

    def test_the_name_and_the_place_beside_a_number_are_no_matter(self):
        text = f"{make_siret(1)} LE FOURNIL 12 rue des Lilas\n2\tPain\t{spaced(make_siret(2))}\nPain\t{make_siret(3)}"
        found = read(text)
        assert found.values == [make_siret(n) for n in (1, 2, 3)]
        # A number by itself should be one: it is told.
        assert [(each.number, each.text) for each in found.wrong] == [(2, "2")]

    def test_a_wrong_line_is_told_by_its_number_and_why_and_the_others_are_kept(self):
        text = f"{make_siret(1)}\n\n00000001800016\n12 34\n3,56E+13\nBoulangerie\n{make_siret(2)}"
        found = read(text)
        assert found.values == [make_siret(1), make_siret(2)]
        assert [(each.number, each.why) for each in found.wrong] == [
            (3, "Ce SIRET n’existe pas : un de ses chiffres est faux."),
            (4, "Un SIRET a 14 chiffres : vous en avez donné 4."),
            (5, "Le tableur a arrondi ce numéro : mettez la colonne au format texte, et recopiez-le."),
            (6, "Un SIRET ne contient que des chiffres."),
        ]

    def test_a_number_cut_short_harms_none_beside_it(self):
        found = read(f"{make_siret(1)[:13]} {make_siret(2)}")
        assert found.values == [make_siret(2)]
        assert [each.text for each in found.wrong] == [make_siret(1)[:13]]

    def test_the_same_number_twice_is_one(self):
        found = read(f"{make_siret(1)} {spaced(make_siret(1))}\n{make_siret(1)}")
        assert (found.values, found.doubles) == ([make_siret(1)], 2)

    def test_a_table_is_read_by_the_name_of_its_column(self):
        text = f'Nom;Siren;N° SIRET\nLe Fournil;x;\'{make_siret(1)}\n"Pain; vin";;{spaced(make_siret(2))}\nSans;;\n'
        found = read(text)
        assert found.values == [make_siret(1), make_siret(2)]
        assert [(each.number, each.why) for each in found.wrong] == [(4, "Il n’y a pas de SIRET sur cette ligne.")]

    def test_sirens_and_addresses_are_read_where_they_are_the_scope(self):
        assert read("000 000 018, 000000026", DecisionScope.SIREN).values == ["000000018", "000000026"]
        found = read("Chef <Chef@exemple.fr>; autre@exemple.fr\nrien ici", DecisionScope.EMAIL)
        assert found.values == ["chef@exemple.fr", "autre@exemple.fr"]
        assert [(each.number, each.text) for each in found.wrong] == [(2, "rien ici")]

    def test_sirets_given_as_sirens_name_no_company(self):
        found = read(spaced(make_siret(1)), DecisionScope.SIREN)
        assert found.values == []
        assert len(found.wrong) == 1

    def test_no_more_than_five_thousand_at_once(self):
        text = "\n".join(make_siret(1 + n // 9999, branch=1 + n % 9999) for n in range(pasted.MOST))
        assert len(read(text).values) == pasted.MOST
        with pytest.raises(RefusedList, match="5\u202f000 SIRET au plus à la fois : votre liste en a 5\u202f001"):
            read(f"{text}\n{make_siret(2)}")

    @pytest.mark.parametrize("text", ["", "\n \n", ";;;"])
    def test_nothing_is_no_list(self, text):
        with pytest.raises(RefusedList, match="Collez une liste"):
            read(text)

    def test_contacts_are_read_line_by_line_and_an_empty_cell_leaves_the_contact_as_it_is(self):
        text = (
            f"siret;email;telephone\n{make_siret(1)};Chef@exemple.fr;01 99 00 00 18\n{make_siret(2)};;effacer\n"
            f"{make_siret(3)};chef@;\n{make_siret(4)};;\n{make_siret(1)};autre@exemple.fr;\n"
            f"{make_siret(2)};;EFFACER\nx;a@exemple.fr;\n"
        )
        found = pasted.read_contacts(text=text)
        assert found.values == {
            (make_siret(1), "email"): "chef@exemple.fr",
            (make_siret(1), "phone"): "+33199000018",
            (make_siret(2), "phone"): "",
        }
        assert found.doubles == 1
        assert [(each.number, each.why) for each in found.wrong] == [
            (4, "Cette adresse e-mail n’est pas valide."),
            (5, "Cette ligne ne donne ni e-mail ni téléphone."),
            (6, "Ce SIRET a d’autres contacts à la ligne 2."),
            (8, "Un SIRET ne contient que des chiffres."),
        ]

    def test_contacts_without_a_line_of_names_are_read_in_the_order_told(self):
        found = pasted.read_contacts(text=f"{make_siret(1)},chef@exemple.fr")
        assert found.values == {(make_siret(1), "email"): "chef@exemple.fr"}

    @pytest.mark.parametrize("content", [b"siret\r\n1", "é".encode("cp1252"), "\ufeffsiret;é".encode()])
    def test_files_of_any_spreadsheet_are_read(self, content):
        assert "\r" not in pasted.decode(content)
        assert "\ufeff" not in pasted.decode(content)

    @pytest.mark.parametrize(
        ("content", "why"), [(b"PK\x03\x04xx", "classeur"), (b"a\x00b", "pas un texte"), (b"1" * 600_001, "trop long")]
    )
    def test_a_file_that_is_no_list_is_refused_in_french(self, content, why):
        with pytest.raises(RefusedList, match=why):
            pasted.decode(content)


@pytest.fixture
def baker(db):
    return RomeFactory(code="D1102")


def shown_shop(n, baker, **facts):
    """An establishment that the public sees: a decision lists it for a job."""
    shop = EstablishmentFactory(siret=make_siret(n), **facts)
    VisibilityDecisionFactory(
        value=shop.siret, kind=DecisionKind.LISTED, rome_codes=[baker.code], starts_at=AT - dt.timedelta(days=1)
    )
    return shop


class TestPreview:
    def test_it_counts_what_is_known_unknown_already_so_and_seen_today(self, baker):
        for n in (1, 2):
            shown_shop(n, baker)
        EstablishmentFactory(siret=make_siret(3))
        shown_shop(4, baker)
        VisibilityDecisionFactory(value=make_siret(4), starts_at=AT - dt.timedelta(hours=1))
        VisibilityDecisionFactory(
            value=make_siret(3), starts_at=AT - dt.timedelta(hours=1), ends_at=visibility.end_of_day(END)
        )
        text = "\n".join([*(make_siret(n) for n in (1, 2, 3, 4, 5, 5)), "faux"])
        assert counts(order(text)) == {
            "wanted": 5, "doubles": 1, "wrong": 1, "known": 4, "unknown": 1, "already": 1, "replaced": 1, "made": 4,
            "visible": 2,
        }  # fmt: skip
        assert batches.preview(order=order(text), at=AT).unknown == [make_siret(5)]
        assert not VisibilityDecision.objects.filter(kind=DecisionKind.DELISTED, decided_at=AT).exists()

    def test_what_a_score_names_is_seen_too(self, baker):
        shop = EstablishmentFactory(siret=make_siret(1))
        put_online([(shop, baker.code, 0.5)])
        assert counts(order(shop.siret), timezone.now())["visible"] == 1

    def test_a_company_and_an_address_count_all_that_they_reach(self, baker):
        shops = [EstablishmentFactory(siret=make_siret(1, branch=n)) for n in (1, 2)]
        for shop in shops:
            VisibilityDecisionFactory(
                value=shop.siret, kind=DecisionKind.LISTED, rome_codes=["D1102"], starts_at=AT - dt.timedelta(days=1)
            )
            ContactFactory(siret=shop.siret, email="chef@exemple.fr")
        ContactCorrectionFactory(siret=shops[1].siret, value="autre@exemple.fr")
        by_company = counts(order(f"{make_siren(1)} {make_siren(2)}", scope="siren"))
        assert (by_company["known"], by_company["unknown"], by_company["visible"]) == (1, 1, 2)
        by_address = counts(order("chef@exemple.fr autre@exemple.fr rien@exemple.fr", scope="email"))
        assert (by_address["known"], by_address["unknown"], by_address["visible"]) == (2, 1, 2)
        assert counts(order("chef@exemple.fr", scope="email"))["visible"] == 1

    def test_listing_counts_those_that_appear_and_those_that_stay_out_of_sight(self, baker):
        shown_shop(1, baker)
        EstablishmentFactory(siret=make_siret(2), is_employer=False)
        EstablishmentFactory(siret=make_siret(3), closed_on=dt.date(2020, 1, 1))
        text = " ".join(make_siret(n) for n in (1, 2, 3, 4))
        asked = order(text, BatchKind.LISTED, reason="requested_listing", rome_codes=("D1102",), ends_on=END)
        told = counts(asked)
        assert (told["visible"], told["appearing"], told["out_of_sight"]) == (1, 1, 1)

    def test_corrections_count_the_contacts_that_change(self, db):
        ContactCorrectionFactory(siret=make_siret(1), value="chef@exemple.fr")
        ContactCorrectionFactory(siret=make_siret(2), value="ancien@exemple.fr")
        EstablishmentFactory(siret=make_siret(1))
        told = counts(correcting(f"{make_siret(1)};chef@exemple.fr;0199000018\n{make_siret(2)};neuf@exemple.fr;"))
        assert told == {"wanted": 2, "known": 1, "unknown": 1, "already": 1, "replaced": 1, "made": 2}

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            (order(make_siret(1), reason=""), "motif"),
            (order(make_siret(1), BatchKind.PAUSED), "jusqu’à quand"),
            (order(make_siret(1), BatchKind.LISTED, reason="other"), "au moins un métier"),
            (order(make_siren(1), BatchKind.LISTED, reason="other", scope="siren"), "donnez des SIRET"),
            (order(make_siret(1), ends_on=dt.date(2020, 1, 1)), "déjà passée"),
            (order(f"{make_siret(1)};a@exemple.fr", BatchKind.CORRECTED), "Dites pourquoi"),
        ],
        ids=["reason", "pause", "jobs", "scope", "past", "comment"],
    )
    def test_what_can_not_be_decided_is_refused_in_french(self, db, asked, why):
        with pytest.raises(RefusedDecision, match=why):
            batches.preview(order=asked, at=AT)

    def test_as_many_queries_for_three_hundred_as_for_one(self, support):
        def queries(sirets):
            asked = order("\n".join(sirets))
            with CaptureQueriesContext(connection) as previewed:
                effect = batches.preview(order=asked, at=AT)
            with CaptureQueriesContext(connection) as applied:
                batch = batches.apply(order=asked, seen=effect.seen, by=support, at=AT)
            with CaptureQueriesContext(connection) as undone:
                batches.undo(batch_id=batch.pk, by=support, at=SOON, reason="essai")
            return len(previewed), len(applied), len(undone)

        one = queries([make_siret(1)])
        assert queries([make_siret(n) for n in range(2, 302)]) == one

    def test_as_many_queries_for_three_hundred_corrections_as_for_one(self, support):
        def queries(sirets):
            with CaptureQueriesContext(connection) as done:
                batch = do(correcting("\n".join(f"{siret};chef@exemple.fr;" for siret in sirets)), support)
                batches.undo(batch_id=batch.pk, by=support, at=SOON, reason="essai")
            return len(done)

        one = queries([make_siret(1)])
        assert queries([make_siret(n) for n in range(2, 302)]) == one


class TestApply:
    def test_what_was_previewed_is_done_and_its_rows_name_the_batch(self, support):
        asked = order(f"{make_siret(1)} {make_siret(2)}\nfaux", ends_on=END, comment="Liste du siège")
        batch = do(asked, support)
        decisions = VisibilityDecision.objects.filter(batch=batch)
        assert {each.value for each in decisions} == {make_siret(1), make_siret(2)}
        assert {(each.kind, each.reason, each.comment, each.origin, each.decided_by) for each in decisions} == {
            (DecisionKind.DELISTED, DecisionReason.OTHER, "Liste du siège", DecisionOrigin.SUPPORT, support)
        }
        assert {each.ends_at for each in decisions} == {visibility.end_of_day(END)}
        assert (batch.by, batch.at, batch.counts["made"], batch.counts["wrong"]) == (support, AT, 2, 1)
        assert batch.asked == "Retirer 2 établissements jusqu’au 1er décembre 2026"

    def test_the_same_list_may_be_given_again(self, support):
        do(order(make_siret(1)), support)
        with pytest.raises(RefusedDecision, match="rien à faire"):
            do(order(make_siret(1)), support, SOON)
        batch = do(order(f"{make_siret(1)} {make_siret(2)}"), support, SOON)
        assert [each.value for each in batch.decisions.all()] == [make_siret(2)]

    def test_another_list_than_the_one_that_was_read_is_read_again(self, support):
        seen = batches.preview(order=order(make_siret(1)), at=AT).seen
        with pytest.raises(Changed) as changed:
            batches.apply(order=order(make_siret(2)), seen=seen, by=support, at=AT)
        assert changed.value.effect.counts["wanted"] == 1
        assert not VisibilityDecision.objects.exists()

    def test_another_effect_than_the_one_that_was_read_is_read_again(self, support):
        asked = order(f"{make_siret(1)} {make_siret(2)}")
        seen = batches.preview(order=asked, at=AT).seen
        do(order(make_siret(1)), support)
        with pytest.raises(Changed) as changed:
            batches.apply(order=asked, seen=seen, by=support, at=SOON)
        batches.apply(order=asked, seen=changed.value.effect.seen, by=support, at=SOON)
        assert Batch.objects.count() == 2

    @pytest.mark.parametrize("seen", ["", "x", "a:b:c"])
    def test_nothing_is_done_that_no_preview_told(self, support, seen):
        with pytest.raises(Changed):
            batches.apply(order=order(make_siret(1)), seen=seen, by=support, at=AT)

    def test_the_same_press_twice_makes_one_batch(self, support):
        asked = order(make_siret(1))
        seen = batches.preview(order=asked, at=AT).seen
        first, second = (batches.apply(order=asked, seen=seen, by=support, at=at) for at in (AT, SOON))
        assert first == second
        assert VisibilityDecision.objects.count() == 1

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"text": make_siret(1)}, "Retirer 1 établissement, sans fin"),
            ({"text": make_siren(1), "scope": "siren"}, "Retirer les établissements de 1 entreprise, sans fin"),
            (
                {"kind": BatchKind.PAUSED, "text": f"{make_siret(1)} {make_siret(2)}", "ends_on": END},
                "Mettre en pause 2 établissements jusqu’au 1er décembre 2026",
            ),
            (
                {"kind": BatchKind.CHANNEL_HIDDEN, "text": make_siret(1), "channel": Channel.PHONE},
                "Masquer le téléphone de 1 établissement, sans fin",
            ),
            (
                {"kind": BatchKind.CHANNEL_HIDDEN, "text": "a@exemple.fr", "scope": "email", "channel": Channel.EMAIL},
                "Masquer l’e-mail des établissements de 1 adresse e-mail, sans fin",
            ),
            (
                {"kind": BatchKind.LISTED, "text": make_siret(1), "rome_codes": ("D1102",)},
                "Référencer 1 établissement pour D1102, sans fin",
            ),
        ],
        ids=["one", "company", "pause", "channel", "address", "listing"],
    )
    def test_each_kind_is_done_and_told_in_words(self, baker, support, told, words):
        batch = do(order(**{"kind": BatchKind.DELISTED, **told}), support)
        assert batch.asked == words
        assert {each.kind for each in batch.decisions.all()} == {batch.kind}

    def test_contacts_are_corrected_each_to_its_own(self, support):
        batch = do(
            correcting(f"{make_siret(1)};chef@exemple.fr;0199000018\n{make_siret(2)};autre@exemple.fr;"), support
        )
        assert batch.asked == "Corriger 3 contacts de 2 établissements"
        found = batch.corrections.values_list("siret", "channel", "value", "reason", "decided_by")
        assert set(found) == {
            (make_siret(1), "email", "chef@exemple.fr", "Appel du siège", support.pk),
            (make_siret(1), "phone", "+33199000018", "Appel du siège", support.pk),
            (make_siret(2), "email", "autre@exemple.fr", "Appel du siège", support.pk),
        }

    @pytest.mark.django_db(transaction=True)
    def test_two_who_press_at_once_make_one_batch_of_one_preview_and_no_double_of_two(self):
        support, other = StaffFactory(), StaffFactory()
        asked = order(" ".join(make_siret(n) for n in range(1, 60)))
        seen = [batches.preview(order=asked, at=AT).seen] * 2 + [batches.preview(order=asked, at=AT).seen]
        ends = []

        def press(mark, by):
            try:
                ends.append(batches.apply(order=asked, seen=mark, by=by, at=timezone.now()).pk)
            except Exception as fault:
                ends.append(type(fault))
            finally:
                connection.close()

        threads = [
            threading.Thread(target=press, args=told) for told in zip(seen, [support, support, other], strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made = Batch.objects.get()
        # Who pressed another preview than the first one reads again: its effect is no longer so.
        assert set(ends) == {made.pk, Changed}
        assert VisibilityDecision.objects.count() == 59


class TestUndo:
    def undo(self, batch, by, at=SOON):
        return batches.undo(batch_id=batch.pk, by=by, at=at, reason="Mauvaise liste")

    def test_what_the_batch_decided_ends_with_author_and_reason(self, support):
        shop = EstablishmentFactory(siret=make_siret(1))
        other = visibility.delist(
            scope="siret", value=make_siret(3), by=None, at=AT, reason="other", origin=DecisionOrigin.FORM
        )
        batch = do(order(f"{make_siret(1)} {make_siret(2)}"), support)
        assert not Establishment.objects.listed(AT).filter(pk=shop.pk).exists()
        undone = self.undo(batch, support)
        assert (undone.undone_at, undone.undone_by, undone.undone_reason) == (SOON, support, "Mauvaise liste")
        ended = batch.decisions.values_list("revoked_at", "revoked_by", "revocation_reason")
        assert set(ended) == {(SOON, support.pk, "Mauvaise liste")}
        assert Establishment.objects.listed(SOON).filter(pk=shop.pk).exists()
        other.refresh_from_db()
        assert other.revoked_at is None

    def test_undoing_twice_is_no_error_and_the_first_stays(self, support):
        batch = do(order(make_siret(1)), support)
        self.undo(batch, support)
        again = batches.undo(batch_id=batch.pk, by=StaffFactory(), at=LATER, reason="encore")
        assert (again.undone_at, again.undone_by) == (SOON, support)
        with pytest.raises(RefusedDecision, match="Dites pourquoi"):
            batches.undo(batch_id=batch.pk, by=support, at=SOON, reason=" ")

    def test_a_decision_that_the_batch_replaced_comes_back_as_a_new_one_on_its_terms(self, support):
        former = visibility.delist(
            scope="siret", value=make_siret(1), by=None, at=AT - dt.timedelta(days=3), reason="no_apprentices",
            origin=DecisionOrigin.FORM, ends_on=dt.date(2027, 1, 5),
        )  # fmt: skip
        batch = do(order(f"{make_siret(1)} {make_siret(2)}"), support)
        assert batch.counts["replaced"] == 1
        found = batches.preview_undo(batch=batch, at=SOON)
        assert (found.ended, found.back, found.not_back, found.left) == (2, 1, 0, 0)
        self.undo(batch, support)
        back = VisibilityDecision.objects.in_force(SOON).get(value=make_siret(1))
        assert (back.ends_at, back.reason, back.origin) == (former.ends_at, former.reason, former.origin)
        assert (back.starts_at, back.decided_by, back.comment) == (SOON, support, BACK)
        assert not VisibilityDecision.objects.in_force(SOON).filter(value=make_siret(2)).exists()

    def test_a_replaced_decision_whose_end_has_passed_does_not_come_back_and_this_is_told(self, support):
        visibility.delist(
            scope="siret", value=make_siret(1), by=None, at=AT - dt.timedelta(days=3), reason="other",
            origin=DecisionOrigin.FORM, ends_on=AT.date(),
        )  # fmt: skip
        batch = do(order(make_siret(1)), support)
        found = batches.preview_undo(batch=batch, at=LATER)
        assert (found.ended, found.back, found.not_back) == (1, 0, 1)
        self.undo(batch, support, LATER)
        assert not VisibilityDecision.objects.in_force(LATER).exists()

    def test_what_was_decided_again_since_stays(self, support):
        first = do(order(f"{make_siret(1)} {make_siret(2)}"), support)
        second = do(order(make_siret(1), ends_on=END), support, SOON)
        found = batches.preview_undo(batch=first, at=LATER)
        assert (found.ended, found.left) == (1, 1)
        self.undo(first, support, LATER)
        assert [each.batch for each in VisibilityDecision.objects.in_force(LATER)] == [second]

    def test_two_batches_one_upon_the_other_are_undone_in_either_order(self, support):
        def pile(n):
            first = do(order(make_siret(n)), support)
            return first, do(order(make_siret(n), ends_on=END), support, SOON)

        first, second = pile(1)
        self.undo(second, support, LATER)
        assert VisibilityDecision.objects.in_force(LATER).get(value=make_siret(1)).batch == first
        self.undo(first, support, LATER + dt.timedelta(minutes=1))
        first, second = pile(2)
        self.undo(first, support, LATER)
        assert batches.preview_undo(batch=second, at=LATER).not_back == 1
        self.undo(second, support, LATER + dt.timedelta(minutes=1))
        assert not VisibilityDecision.objects.in_force(LATER + dt.timedelta(minutes=2)).exists()

    def test_corrected_contacts_take_their_former_value_again_by_a_new_correction(self, support):
        ContactFactory(siret=make_siret(1), email="importe@exemple.fr", phone="")
        ContactCorrectionFactory(siret=make_siret(2), value="ancien@exemple.fr", decided_at=AT - dt.timedelta(days=1))
        text = "".join(f"{make_siret(n)};neuf{n}@exemple.fr;\n" for n in (1, 2, 3, 4))
        batch = do(correcting(text), support)
        visibility.correct_contact(
            siret=make_siret(4), channel=Channel.EMAIL, value="depuis@exemple.fr", by=None, at=SOON, reason="appel",
            origin=DecisionOrigin.FORM,
        )  # fmt: skip
        found = batches.preview_undo(batch=batch, at=LATER)
        assert (found.restored, found.corrected_since) == (3, 1)
        self.undo(batch, support, LATER)
        latest = visibility.latest_corrections((make_siret(n), "email") for n in (1, 2, 3, 4))
        assert {pair[0]: each.value for pair, each in latest.items()} == {
            make_siret(1): "importe@exemple.fr",
            make_siret(2): "ancien@exemple.fr",
            make_siret(3): "",
            make_siret(4): "depuis@exemple.fr",
        }
        assert latest[make_siret(1), "email"].reason == "Lot annulé : Mauvaise liste"
        assert ContactCorrection.objects.filter(batch=batch).count() == 4


ADD = "/admin/companies/batch/add/"
NO_REASON_NEEDED = {"reason": "no_apprentices", "comment": "Appel du siège", "ends_on": "", "scope": "siret"}


@pytest.fixture
def office(client, support):
    return enter(client, support)


def text_of(answer):
    return re.sub(r"\s+", " ", unescape(answer.text))


class TestPage:
    def post(self, client, listed, *, do="", kind="delisted", **told):
        """Reads what ``listed`` would do, then presses the button where ``do``."""
        data = {**NO_REASON_NEEDED, "listed": listed, **told}
        read = client.post(f"{ADD}?quoi={kind}", {**data, "preview": "x"})
        if not do:
            return read
        return client.post(f"{ADD}?quoi={kind}", {**data, "seen": read.context["effect"].seen, "do": "x"}, follow=True)

    def test_support_reads_what_a_list_of_forty_with_three_wrong_lines_does_then_does_it(self, office, support):
        EstablishmentFactory(siret=make_siret(1))
        good = [make_siret(n) for n in range(1, 38)]
        listed = "\n".join([*good[:10], "1234", *good[10:20], "Boulangerie", *good[20:], make_siret(1)[:13] + "7"])
        page = text_of(self.post(office, listed))
        assert 'Retenus</th><td class="number">37</td>' in page
        assert 'Lignes écartées</th><td class="number">3</td>' in page
        assert 'Inconnus de nos tables</th><td class="number">36</td>' in page
        for number, why in (
            (11, "Un SIRET a 14 chiffres"),
            (22, "que des chiffres"),
            (40, "un de ses chiffres est faux"),
        ):
            assert re.search(rf'<th scope="row">{number}</th><td>[^<]+</td><td>[^<]*{why}', page)
        assert 'value="Retirer 37 établissements, sans fin"' in page
        assert not VisibilityDecision.objects.exists()
        done = text_of(self.post(office, listed, do="yes"))
        assert "C’est fait : retirer 37 établissements, sans fin. Ce lot peut être annulé." in done
        assert VisibilityDecision.objects.filter(decided_by=support, comment="Appel du siège").count() == 37
        assert "variable inconnue" not in done

    def test_an_edited_list_is_read_again_before_anything_is_written(self, office):
        read = self.post(office, make_siret(1))
        again = office.post(
            f"{ADD}?quoi=delisted",
            {**NO_REASON_NEEDED, "listed": make_siret(2), "seen": read.context["effect"].seen, "do": "x"},
        )
        assert "L’effet n’est plus celui que vous avez lu : relisez-le." in text_of(again)
        assert 'value="Retirer 1 établissement, sans fin"' in text_of(again)
        assert not VisibilityDecision.objects.exists()

    def test_the_button_pressed_twice_makes_one_batch_and_leads_to_it(self, office):
        read = self.post(office, make_siret(1))
        data = {**NO_REASON_NEEDED, "listed": make_siret(1), "seen": read.context["effect"].seen, "do": "x"}
        first, second = (office.post(f"{ADD}?quoi=delisted", data) for _ in range(2))
        batch = Batch.objects.get()
        assert first.url == second.url == reverse("admin:companies_batch_change", args=[batch.pk])

    def test_a_file_comes_into_the_list_where_it_is_corrected_and_may_be_run_again(self, office):
        content = f"siret;email;telephone\r\n{make_siret(1)};chef@exemple.fr;\r\n{make_siret(2)};chef@;\r\n"
        told = {"comment": "Fichier du siège", "preview": "x"}
        file = SimpleUploadedFile("contacts.csv", content.encode("cp1252"))
        read = office.post(f"{ADD}?quoi=corrected", {**told, "file": file})
        assert '<th scope="row">3</th>' in read.text
        assert read.context["form"]["listed"].value() == content.replace("\r\n", "\n")
        mended = content.replace("chef@;", "autre@exemple.fr;")
        done = self.post(office, mended, kind="corrected", do="yes", comment="Fichier du siège")
        assert "corriger 2 contacts de 2 établissements" in text_of(done)
        assert "Il n’y a rien à faire" in text_of(self.post(office, mended, kind="corrected"))
        assert ContactCorrection.objects.count() == 2

    @pytest.mark.parametrize(
        ("told", "why"),
        [
            ({"listed": ""}, "Collez une liste, ou donnez un fichier."),
            ({"listed": "1\x002"}, "caractère invisible"),
            (
                {"listed": make_siret(1), "reason": "", "comment": "<script>alert(1)</script>"},
                "Ce champ est obligatoire.",
            ),
            ({"listed": make_siret(1), "scope": "autre"}, "Sélectionnez un choix valide"),
            ({"listed": make_siret(1), "ends_on": "2020-01-01"}, "La date de fin est déjà passée."),
            ({"listed": "\n".join(make_siret(n) for n in range(1, 5002))}, "5 000 SIRET au plus à la fois"),
            ({"listed": "🥖 <script>"}, "Un SIRET ne contient que des chiffres."),
        ],
        ids=["empty", "nul", "no-reason", "scope", "past", "too-many", "signs"],
    )
    def test_what_is_wrong_is_told_and_what_was_typed_is_kept(self, office, told, why):
        answer = self.post(office, **{"listed": "", **told})
        assert answer.status_code == 200
        assert why in text_of(answer)
        assert "<script>alert" not in answer.text

    def test_a_list_and_a_file_are_one_too_many(self, office):
        file = SimpleUploadedFile("liste.csv", make_siret(1).encode())
        answer = office.post(ADD, {**NO_REASON_NEEDED, "listed": make_siret(2), "file": file})
        assert "Donnez une liste ou un fichier, pas les deux." in text_of(answer)

    @pytest.mark.parametrize("kind", [*BatchKind.values, "autre"])
    def test_each_kind_has_its_form(self, office, kind):
        assert office.get(f"{ADD}?quoi={kind}").status_code == 200

    def test_a_batch_is_undone_from_its_page_after_what_it_does_was_read(self, office, support):
        visibility.delist(
            scope="siret", value=make_siret(1), by=None, at=timezone.now(), reason="other", origin="form",
            ends_on=timezone.localdate() + dt.timedelta(days=9),
        )  # fmt: skip
        batch = do(order(f"{make_siret(1)} {make_siret(2)}"), support, timezone.now())
        assert str(batch.pk) in office.get(reverse("admin:companies_batch_change", args=[batch.pk])).text
        undo = reverse("admin:companies_batch_undo", args=[batch.pk])
        read = office.post(undo, {"reason": "Mauvaise liste"})
        assert "2 décisions prennent fin" in text_of(read)
        assert "1 décision qu’elle avait remplacée revient, aux mêmes conditions" in text_of(read)
        assert "Voir ce qui sera fait" in text_of(office.get(undo))
        done = office.post(undo, {"reason": "Mauvaise liste", "seen": read.context["seen"]}, follow=True)
        assert "Le lot est annulé." in text_of(done)
        assert "n’est plus possible ici" in text_of(office.get(undo, follow=True))

    def test_the_decisions_of_a_batch_are_found_by_its_number(self, office, support):
        batch = do(order(make_siret(1)), support)
        VisibilityDecisionFactory(value=make_siret(2))
        found = office.get(reverse("admin:companies_visibilitydecision_changelist"), {"q": str(batch.pk)})
        assert [each.value for each in found.context["cl"].result_list] == [make_siret(1)]
        page = office.get(reverse("admin:companies_visibilitydecision_change", args=[batch.decisions.get().pk]))
        assert batch.asked in text_of(page)


class TestWhoMay:
    def test_a_stranger_a_recruiter_and_an_advisor_are_sent_to_the_door(self, client, db):
        recruiter, advisor = UserFactory(email_confirmed_at=timezone.now()), UserFactory()
        advisor.groups.add(Group.objects.get_or_create(name=Role.ADVISOR.value)[0])
        for person in (None, recruiter, advisor):
            if person:
                client.force_login(person, "django.contrib.auth.backends.ModelBackend")
            for answer in (client.get(ADD), client.post(ADD, {"listed": make_siret(1), "do": "x"})):
                assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/admin/login/")
        assert not Batch.objects.exists()

    def test_staff_who_only_read_see_the_journal_and_decide_nothing(self, client, support):
        batch = BatchFactory(by=support)
        enter(client, StaffFactory(group="Support lecture"))
        page = client.get(reverse("admin:companies_batch_change", args=[batch.pk]))
        assert page.status_code == 200
        undo = reverse("admin:companies_batch_undo", args=[batch.pk])
        assert undo not in page.text
        for path in (ADD, undo):
            assert client.get(path).status_code == client.post(path, {"listed": make_siret(1)}).status_code == 403
        assert ADD not in client.get(reverse("admin:companies_batch_changelist")).text

    @pytest.mark.parametrize("group", ["Modération", "Science"])
    def test_other_staff_see_none_of_it(self, client, support, group):
        batch = BatchFactory(by=support)
        enter(client, StaffFactory(group=group))
        for path in (ADD, reverse("admin:companies_batch_change", args=[batch.pk])):
            assert client.get(path).status_code == 403
