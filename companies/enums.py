"""Closed lists of the establishments' world, as the official registers write them."""

from django.db import models


class HeadcountBand(models.TextChoices):
    """INSEE's classes of headcount (``trancheEffectifsEtablissement``)."""

    UNKNOWN = "NN", "Effectif non renseigné"
    NONE = "00", "0 salarié"
    FROM_1 = "01", "1 ou 2 salariés"
    FROM_3 = "02", "3 à 5 salariés"
    FROM_6 = "03", "6 à 9 salariés"
    FROM_10 = "11", "10 à 19 salariés"
    FROM_20 = "12", "20 à 49 salariés"
    FROM_50 = "21", "50 à 99 salariés"
    FROM_100 = "22", "100 à 199 salariés"
    FROM_200 = "31", "200 à 249 salariés"
    FROM_250 = "32", "250 à 499 salariés"
    FROM_500 = "41", "500 à 999 salariés"
    FROM_1000 = "42", "1 000 à 1 999 salariés"
    FROM_2000 = "51", "2 000 à 4 999 salariés"
    FROM_5000 = "52", "5 000 à 9 999 salariés"
    FROM_10000 = "53", "10 000 salariés et plus"


class RomeItemKind(models.TextChoices):
    """What a ROME sheet lists."""

    SKILL = "skill", "Compétence"
    KNOWLEDGE = "knowledge", "Savoir"
    CONTEXT = "context", "Contexte de travail"


class DecisionKind(models.TextChoices):
    """What a person decided about an establishment being shown."""

    DELISTED = "delisted", "Retiré"
    PAUSED = "paused", "En pause"
    CHANNEL_HIDDEN = "channel_hidden", "Moyen de contact masqué"
    LISTED = "listed", "Référencé"


class BatchKind(models.TextChoices):
    """What is done to many establishments in one go: a ``DecisionKind``, or corrections of their contacts."""

    DELISTED = "delisted", "Retirer"
    PAUSED = "paused", "Mettre en pause"
    CHANNEL_HIDDEN = "channel_hidden", "Masquer un moyen de contact"
    LISTED = "listed", "Référencer"
    CORRECTED = "corrected", "Corriger des contacts"


class DecisionScope(models.TextChoices):
    """How far a decision reaches; its ``value`` is the SIRET, the SIREN or the address."""

    SIRET = "siret", "Établissement (SIRET)"
    SIREN = "siren", "Entreprise (SIREN)"
    EMAIL = "email", "Adresse e-mail"


class Channel(models.TextChoices):
    """A way to reach an establishment."""

    ALL = "all", "Tous"
    EMAIL = "email", "E-mail"
    PHONE = "phone", "Téléphone"
    APPLICATIONS = "applications", "Candidatures"


class DecisionOrigin(models.TextChoices):
    """The door through which a decision came."""

    SUPPORT = "support", "Support"
    FORM = "form", "Formulaire"
    MAIL_LINK = "mail_link", "Lien d’un e-mail"
    PROVIDER = "provider", "Retour du fournisseur d’e-mails"


class DecisionReason(models.TextChoices):
    """Why an establishment leaves, pauses or is listed."""

    ALREADY_FOUND = "already_found", "Recrutement déjà fait"
    UNSUITED_APPLICATIONS = "unsuited_applications", "Candidatures qui ne correspondent pas"
    OTHER_CHANNELS = "other_channels", "Recrute par d’autres moyens"
    NO_MEANS = "no_means", "N’a pas les moyens de traiter les candidatures"
    NO_APPRENTICES = "no_apprentices", "Ne recrute pas en alternance"
    DATA_OPPOSITION = "data_opposition", "S’oppose au traitement de ses données"
    CLOSED = "closed", "Établissement fermé"
    REQUESTED_LISTING = "requested_listing", "Demande à être référencé"
    OTHER = "other", "Autre"


class ImportKind(models.TextChoices):
    """What an import brings."""

    ESTABLISHMENTS = "establishments", "Établissements"
    LEGAL_UNITS = "legal_units", "Entreprises"
    CONTACTS = "contacts", "Contacts"


class ImportStatus(models.TextChoices):
    """How far an import went."""

    RUNNING = "running", "En cours"
    DONE = "done", "Terminé"
    REFUSED = "refused", "Refusé"
    INTERRUPTED = "interrupted", "Interrompu"


class ReleaseStatus(models.TextChoices):
    """The life of a release of hiring potentials."""

    WRITING = "writing", "En écriture"
    READY = "ready", "Prête"
    CURRENT = "current", "En ligne"
    PREVIOUS = "previous", "Précédente"
    RETIRED = "retired", "Retirée"
    ABANDONED = "abandoned", "Abandonnée"


class OpcoOrigin(models.TextChoices):
    """Who told the OPCO of an establishment."""

    SERVICE = "service", "Service public des OPCO"
    IDCC = "idcc", "Convention collective"
    RECRUITER = "recruiter", "Recruteur"
    ADVISOR = "advisor", "Conseiller OPCO"
    SUPPORT = "support", "Support"


class Refusal(models.TextChoices):
    """Why an establishment may not deposit offers."""

    INVALID = "invalid", "SIRET mal écrit"
    HIDDEN = "hidden", "A quitté le service"
    UNKNOWN = "unknown", "Inconnu du registre"
    CLOSED = "closed", "Fermé"
    NOT_DIFFUSIBLE = "not_diffusible", "Non diffusible"
    TEACHING = "teaching", "Établissement d’enseignement"


#: NAF codes of teaching begin so: schools and training centres, who are not employers here.
TEACHING = "85"

#: Domains at which anybody may have an address: sharing one proves nothing of a company.
FREE_MAIL = frozenset(
    """
    9online.fr aim.com alice.fr aliceadsl.fr altern.org aol.com aol.fr bbox.fr bluewin.ch caramail.com caramail.fr
    cegetel.fr cegetel.net club-internet.fr dartybox.com dbmail.com duck.com email.com evc.net fastmail.com
    fastmail.fm francite.com free.fr freenet.de freesbee.fr freesurf.fr gmail.com gmail.fr gmx.ch gmx.com gmx.de
    gmx.fr gmx.net googlemail.com guideo.fr hey.com hotmail.be hotmail.ch hotmail.co.uk hotmail.com hotmail.de
    hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com ifrance.com inbox.com iol.it izi.re keemail.me
    laposte.net libero.it libertysurf.fr live.be live.ca live.ch live.co.uk live.com live.fr live.it lycos.com
    lycos.fr mac.com mageos.com magic.fr mail.com mail.fr mail.pf mail.ru mailfence.com mailo.com mailo.fr me.com
    mls.nc msn.com murena.io net-c.com net-c.fr netc.eu netc.fr netcourrier.com neuf.fr noos.fr numericable.com
    numericable.fr only.fr only.re orange.fr outlook.be outlook.com outlook.de outlook.es outlook.fr outlook.it
    ozone.net pm.me posteo.de posteo.net proton.me protonmail.ch protonmail.com protonmail.fr qq.com rambler.ru
    rediffmail.com riseup.net rocketmail.com sfr.fr sfr.net sunrise.ch t-online.de tele2.fr tiscali.fr tiscali.it
    tuta.com tuta.io tutamail.com tutanota.com tutanota.de vivaldi.net voila.fr wanadoo.es wanadoo.fr wanadoo.nc
    web.de worldonline.fr yahoo.be yahoo.ca yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com
    yandex.ru ymail.com zeop.re zoho.com zoho.eu zohomail.com
    """.split()  # noqa: SIM905
)
