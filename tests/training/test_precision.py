"""What a training knows of the machine it runs on."""

import pytest

from ttskit.training import processes


@pytest.mark.parametrize(
    ("flags", "precision", "device", "slow"),
    [
        ("avx2 avx512f", "bf16-mixed", "cpu", True),
        ("avx2 avx512_bf16 amx_bf16", "bf16-mixed", "cpu", False),
        ("avx2", "32-true", "cpu", False),
        ("avx2", "bf16-mixed", "cuda:0", False),
    ],
)
def test_a_precision_without_instructions_is_known(
    tmp_path, monkeypatch, flags, precision, device, slow
):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "cpuinfo")
    assert processes.emulates(precision, device) is slow
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "none")
    assert not processes.emulates(precision, device)
