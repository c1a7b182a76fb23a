from ttskit.datasets import understand


def test_pairs_are_sorted_and_lone_halves_reported(tmp_path, tone, say):
    for name in ("b.flac", "a.WAV", "c.ogg", "d.wav", "f.wav", "g.wav", "g.flac"):
        tone(tmp_path / name)
    for name, text in {
        "a": "A.\n",
        "b": "\ufeffB\r\nb.\r\n",
        "d": " \n",
        "e": "E.",
        "g": "G.",
    }.items():
        say(tmp_path / f"{name}.txt", text)
    say(tmp_path / "f.txt", b"ok\n\xff")
    say(tmp_path / "h.wav", b"")
    say(tmp_path / "h.txt", "H.")
    say(tmp_path / "LICENSE", "free")
    say(tmp_path / "README.txt", "read me")
    say(tmp_path / "._a.wav", "what an archiver leaves behind")
    found = understand(tmp_path)
    assert found.format == "pairs"
    assert [(c.id, c.text, c.audio.name) for c in found.clips] == [
        ("a", "A.", "a.WAV"),
        ("b", "B b.", "b.flac"),
        ("g", "G.", "g.wav"),
    ]
    assert dict(found.bad) == {
        "c": "c.ogg: no c.txt beside it",
        "d": "d.txt: the text is empty",
        "e": "e.txt: no audio of this name beside it",
        "f": "f.txt: line 2: byte 0xff is not UTF-8; convert the file first, "
        "for example with: iconv -f latin1 -t utf-8",
        "h": "h.wav: empty (0 bytes)",
    }
    assert "neither audio nor its text, not read: 2 files (LICENSE, README.txt)" in found.notes
    assert "g has several recordings (g.flac, g.wav), g.wav is read" in found.notes


def test_a_folder_of_each_speaker_names_speaker_and_id(tmp_path, tone, say):
    for name in ("anna/001", "ben/001", "p225/p225_001"):
        tone(tmp_path / f"{name}.wav")
        say(tmp_path / f"{name}.txt", "One.")
    tone(tmp_path / "ben/more/002.wav")
    found = understand(tmp_path)
    assert [(clip.id, clip.speaker) for clip in found.clips] == [
        ("anna_001", "anna"),
        ("ben_001", "ben"),
        ("p225_001", "p225"),
    ]
    assert "too deep, not read: 1 folder (ben/more) with audio" in found.notes


def test_reads_the_prompts_of_cmu_arctic(tmp_path, tone, say):
    for number in (1, 2, 4):
        tone(tmp_path / f"wav/arctic_a000{number}.wav")
    say(
        tmp_path / "etc/txt.done.data",
        '( arctic_a0002 "He said \\"no\\"." )\n( arctic_a0001 "Author." )\n'
        '( arctic_a0003 "Gone." )\nnonsense\n',
    )
    found = understand(tmp_path)
    assert [(clip.id, clip.text) for clip in found.clips] == [
        ("arctic_a0002", 'He said "no".'),
        ("arctic_a0001", "Author."),
    ]
    assert found.bad == (
        ("arctic_a0003", "etc/txt.done.data line 3: no wav/arctic_a0003.*"),
        ("etc/txt.done.data line 4", 'is not ( id "text" )'),
    )
    assert "etc/txt.done.data has no text for 1 audio file (arctic_a0004)" in found.notes
