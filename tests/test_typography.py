"""The words that people read have the apostrophe of French typography, ’: in templates, sentences of code, scripts."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("companies", "labonnealternance", "offers", "opco", "scoring", "unsubscribe")
ELISION = re.compile(
    r"(?i)(?<![^\W_])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|aujourd|presqu|entr)'(?=[^\W\d_]|\{|«|$)"
)
TEMPLATE_COMMENT = re.compile(r"\{#.*?#\}")


def sentences(source):
    """The texts of a module that are not docstrings, with their lines."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def straight_in_code(source):
    return [line for line, text in sentences(source) if ELISION.search(text)]


def straight_in_template(source):
    lines = enumerate(TEMPLATE_COMMENT.sub("", source).splitlines(), start=1)
    return [line for line, text in lines if ELISION.search(text)]


def files(app, *kinds):
    for path in sorted((ROOT / app).rglob("*")):
        if path.suffix in kinds and not {"migrations", "sample"} & set(path.parts):
            yield path, str(path.relative_to(ROOT))


@pytest.mark.parametrize("app", CODE)
def test_sentences_of_code_have_the_typographic_apostrophe(app):
    found = {name: straight_in_code(path.read_text()) for path, name in files(app, ".py")}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("app", CODE)
def test_templates_and_scripts_have_the_typographic_apostrophe(app):
    found = {name: straight_in_template(path.read_text()) for path, name in files(app, ".html", ".txt", ".js")}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_is_not_a_sentence_is_left_alone():
    code = [
        "def f(d):",
        '    """L\'action."""',
        "    # L'essai.",
        """    return f"{d['nom']} s'arrête", "il n'" "y a", 'user\\'s'""",
    ]
    assert straight_in_code("\n".join(code)) == [4, 4]
    assert straight_in_template("{# l'aide #}<p title=\"d'abord\">\n{% url 'x' %} don't\n{{ d|default:'non' }}") == [1]
