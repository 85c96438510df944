"""Moments in a template, as the views write them."""

from django import template

from labonnealternance.kit import text

register = template.Library()
register.filter("french_moment", text.french_moment)
