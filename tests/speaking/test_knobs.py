"""The numbers that models are steered by."""

import pytest

from ttskit.errors import TtskitError
from ttskit.models import FAMILIES, find
from ttskit.speaking.knobs import KNOBS, check, check_known, settings

DIFFUSION, GLOW, SOURCE = (find(name) for name in ("diffusion", "glow", "source"))


def test_every_knob_that_can_be_set_is_one_of_a_family():
    for name in KNOBS:
        families = (find(family) for known in FAMILIES.values() for family in known)
        assert any(name in family.knobs for family in families), name


def test_a_preset_sets_the_knobs_of_the_family_that_has_it_and_options_win():
    assert settings(DIFFUSION, {}, "ultra_fast") == DIFFUSION.paces["ultra_fast"]
    assert settings(DIFFUSION, {"steps": 7, "rounds": 3}, "ultra_fast")["steps"] == 7
    assert "rounds" not in settings(DIFFUSION, {"rounds": 3}, "ultra_fast")
    assert settings(SOURCE, {}, "ultra_fast") == {}


def test_presets_set_knobs_of_their_family_within_bounds_and_get_slower():
    steps = [pace["steps"] for pace in DIFFUSION.paces.values()]
    assert steps == sorted(steps)
    for pace in DIFFUSION.paces.values():
        assert pace.keys() <= DIFFUSION.knobs.keys()
        for name, value in pace.items():
            check(name, value)


def test_what_no_model_has_is_refused():
    check_known("v", [GLOW, SOURCE], ["rounds"], "")
    check_known("v", [DIFFUSION, SOURCE], ["steps", "guidance"], "fast")
    with pytest.raises(TtskitError, match="v: none of its models has guidance: leave it out"):
        check_known("v", [GLOW, SOURCE], ["guidance"], "")
    with pytest.raises(TtskitError, match=r"no.*preset 'quick'; there is ultra_fast, fast"):
        check_known("v", [DIFFUSION, SOURCE], [], "quick")
    with pytest.raises(TtskitError, match=r"no.*preset 'fast'; they have none"):
        check_known("v", [GLOW, SOURCE], [], "fast")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", 0, "steps 0: needs a number from 1 to 1000"),
        ("steps", 2.5, "steps 2.5: needs a whole number"),
        ("guidance", -1, "guidance -1: needs a number from 0 to 100"),
        ("guidance", True, "guidance True: needs a number"),
    ],
)
def test_values_out_of_bounds_are_refused(name, value, message):
    with pytest.raises(TtskitError, match=message):
        check(name, value)
