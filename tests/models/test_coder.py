"""What all coders share: their latents."""

from dataclasses import replace

import pytest
import torch

from tests.models.synthetic import CODES, short_and_long
from tests.models.tiny_models import CASES, trained

CODERS = [case for case in CASES if case.split()[0] in ("autoregressive", "mamba")]
QUIET = {case: {"temperature": 0.0} for case in CODERS if case.startswith("autoregressive")}


@pytest.mark.parametrize("case", CODERS)
def test_the_latents_of_codes_are_those_that_came_with_them(case):
    """An autoregressive coder computes those of recorded codes at once, others step by step."""
    model, batch = trained(case), short_and_long()
    made = model.generate(batch, **QUIET.get(case, {}))
    lengths = (made["latents"] != 0).any(2).sum(1)
    codes = batch.with_fields(codes=made["codes"])
    codes = replace(codes, lengths={**codes.lengths, "code": lengths})
    torch.testing.assert_close(model.latents(codes), made["latents"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("case", ["autoregressive", "mamba"])
def test_the_share_of_drawn_codes_goes_from_none_to_all(case):
    model, batch = trained(case), short_and_long()
    other = batch.with_fields(codes=(batch["codes"] + 1) % CODES)

    def latents(batch, share):
        return model.latents(batch, share, torch.Generator().manual_seed(0))

    torch.testing.assert_close(latents(batch, 1e-9), latents(batch, 0.0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(latents(batch, 1.0), latents(other, 1.0))
    some, recorded = latents(batch, 0.5), latents(batch, 0.0)
    assert not torch.allclose(some, recorded, atol=1e-3)
    assert not torch.allclose(some, latents(other, 0.5), atol=1e-3)
