"""What apps tell in a module that is found by its name, as Django finds ``admin``: the ground knows no app."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def modules_named(name: str) -> Iterator[ModuleType]:
    """The module ``name`` of each app that has one, lower floors first (the order of ``INSTALLED_APPS``).

    The kit tells nothing: its own modules are those that ask.
    """
    for config in apps.get_app_configs():
        if config.label != "kit" and config.module is not None and module_has_submodule(config.module, name):
            yield import_module(f"{config.name}.{name}")
