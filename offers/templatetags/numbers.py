"""Numbers of companies in a template, as people read them."""

from django import template

from companies.models import spaced_siret

register = template.Library()
register.filter("spaced_siret", spaced_siret)
