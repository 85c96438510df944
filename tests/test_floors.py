"""The arrows that import-linter cannot see: foreign keys and migrations written as strings, URL names, templates."""

import pathlib
import re
import subprocess
import sys

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.test.utils import isolate_apps

ROOT = pathlib.Path(__file__).parent.parent
FLOOR = {"companies": 1, "offers": 3, "scoring": 3, "opco": 4, "unsubscribe": 4}
GROUND = ("accounts", "consistency", "mail", "kit", "demo")
ROUTE = re.compile(r"""(?:\{%\s*url|reverse(?:_lazy)?\(|redirect\(|resolve_url\()\s*["'](\w+):""")
LOAD = re.compile(r"""(?:\{%\s*(?:include|extends)|render\(\s*request,|template_name\s*=)\s*["'](\w+)/""")


def floor(label):
    return FLOOR.get(label, 0)


def may_lean_on(source, target):
    """Down a floor or on oneself; never up, never on a neighbour. The ground leans on itself and on libraries."""
    return source == target or floor(target) < floor(source) or floor(source) == floor(target) == 0


def upward_relations(app, models):
    return [
        field
        for model in models
        for field in model._meta.local_fields + model._meta.local_many_to_many
        if field.remote_field and not may_lean_on(app, field.related_model._meta.app_label)
    ]


def upward_migrations(app, migrations):
    return [
        (name, parent)
        for (label, name), migration in migrations.items()
        if label == app
        for parent in migration.dependencies
        if not may_lean_on(app, parent[0])
    ]


def upward_names(app, text):
    return [name for name in ROUTE.findall(text) + LOAD.findall(text) if not may_lean_on(app, name)]


@pytest.mark.parametrize("app", [*FLOOR, *GROUND])
def test_relations_point_down(app):
    assert upward_relations(app, apps.get_app_config(app).get_models()) == []


@pytest.mark.parametrize("app", [*FLOOR, *GROUND])
def test_migrations_point_down(app):
    assert upward_migrations(app, MigrationLoader(None).disk_migrations) == []


@pytest.mark.parametrize("app", [*FLOOR, "labonnealternance"])
def test_url_names_and_templates_point_down(app):
    files = [p for p in (ROOT / app).rglob("*") if p.suffix in {".py", ".html", ".txt", ".xml", ".svg"}]
    assert files
    assert [(path.relative_to(ROOT), name) for path in files for name in upward_names(app, path.read_text())] == []


# The same four rules, broken on purpose.


@isolate_apps("companies", "scoring")
def test_a_foreign_key_that_points_up_is_caught():
    class Score(models.Model):
        class Meta:
            app_label = "scoring"

    class Fact(models.Model):
        score = models.ForeignKey(Score, on_delete=models.CASCADE)

        class Meta:
            app_label = "companies"

    assert upward_relations("companies", [Fact]) == [Fact._meta.get_field("score")]
    assert upward_relations("scoring", [Fact, Score]) == []


def test_a_migration_that_leans_upward_is_caught():
    migration = Migration("0002_breach", "companies")
    migration.dependencies = [("companies", "0001_extensions"), ("scoring", "0001_initial")]
    assert upward_migrations("companies", {("companies", "0002_breach"): migration}) == [
        ("0002_breach", ("scoring", "0001_initial"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{% url 'offers:home' %}",
        '{% include "offers/public/_search_form.html" %}',
        "{% extends 'offers/base.html' %}",
        "reverse('offers:search')",
        'redirect("offers:home")',
        'render(request, "offers/public/home.html")',
        'template_name = "offers/public/home.html"',
    ],
)
def test_a_name_of_a_page_or_of_a_template_above_is_caught(text):
    assert upward_names("companies", text) == ["offers"]
    assert upward_names("labonnealternance", text) == ["offers"]
    assert upward_names("scoring", text) == ["offers"]
    assert upward_names("offers", text) == []


def test_every_app_of_the_project_has_a_floor():
    ours = {config.label for config in apps.get_app_configs() if pathlib.Path(config.path).is_relative_to(ROOT)}
    installed = {label for label in ours if ".venv" not in apps.get_app_config(label).path}
    assert installed == set(FLOOR) | set(GROUND)


def loaded_by(statement):
    """Names of the modules that a fresh process holds after ``statement``."""
    script = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return {name.partition(".")[0] for name in answer.stdout.split()}


def test_the_web_process_never_loads_the_score_s_libraries():
    loaded = loaded_by(
        "from labonnealternance.wsgi import application\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns"
    )
    assert "django" in loaded
    assert not loaded & {"lightgbm", "pandas", "numpy", "pyarrow", "sklearn", "scipy"}


def test_the_scoring_pipeline_loads_without_django():
    loaded = loaded_by(
        "import importlib, pkgutil, scoring.pipeline\n"
        "for found in pkgutil.walk_packages(scoring.pipeline.__path__, 'scoring.pipeline.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert "lightgbm" in loaded
    assert not loaded & {"django", "companies", "labonnealternance"}


# Each rule is broken on purpose in a copy of the project, and the build says which one.
BREACHES = {
    "floors": ("companies/actions/breach.py", "import offers.search"),
    "scoring-leaf": ("offers/public/breach.py", "import scoring.models"),
    "web-without-lightgbm": ("offers/public/breach.py", "import pandas"),
    "pure-pipeline": ("scoring/pipeline/breach.py", "import django.db"),
    "inside-offers": ("offers/search.py", "import offers.public.views"),
    "inside-the-others": ("companies/models/breach.py", "import companies.actions.visibility"),
    "inside-opco": ("opco/actions/breach.py", "import opco.views.queue"),
    "inside-unsubscribe": ("unsubscribe/actions/breach.py", "import unsubscribe.views.ask"),
    "inside-the-ground": ("labonnealternance/kit/breach.py", "import labonnealternance.accounts.models"),
    "public-face-companies": ("offers/public/breach.py", "import companies.clients"),
    "public-face-offers": ("opco/actions/breach.py", "import offers.recruiters.space"),
}


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_of_each_import_contract_is_caught(contract, tmp_path):
    path, line = BREACHES[contract]
    for package in ("labonnealternance", *FLOOR):
        for source in (ROOT / package).rglob("*.py"):
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    with (tmp_path / path).open("a") as broken:
        broken.write(f"\n{line}\n")
    linter = pathlib.Path(sys.executable).parent / "lint-imports"
    answer = subprocess.run(
        [linter, "--contract", contract, "--no-cache"],
        cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "BROKEN" in answer.stdout
