"""The examples in docstrings show what the functions return."""

import doctest
import importlib

import pytest

MODULES = [
    "text.addresses",
    "text.english_rules",
    "text.languages",
    "text.lexicon",
    "text.lines",
    "text.numbers",
    "text.sentences",
    "text.spelling",
    "text.ssml",
    "text.symbols",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    outcome = doctest.testmod(importlib.import_module(f"ttskit.{name}"))
    assert outcome.attempted
    assert not outcome.failed
