# The Tortoise chain: a codec, coders in both orders, a decoder of latents, a ranker, and what
# candidates and rankers are worth, one table each.  A project says what differs, and includes this.
#
# make            the voice and the tables
# make quick      all of it with a few utterances and updates, in another folder
#
# What is set of the recordings, the language and the hours: speech.mk.  Further
#
# CANDIDATES   how many takes of each text there are to choose between
# DECODER      family and settings of the decoder of latents
# BATCH        utterances in a batch of it; without it about 20 seconds of speech
# RANKERS      what chooses; heard needs the extra eval
# MEASURES     wer_base (Whisper, which knows the language) and distillmos need the extra eval
include $(dir $(lastword $(MAKEFILE_LIST)))speech.mk

CARD ?= card.toml
# of each training but that of the aligner
LENGTH ?= $(call spent,0.16,--minutes 30)
DECODER ?= --family feedforward --set adversary.from_progress=0.6
BATCH ?= $(TWENTY_SECONDS)
VOCODER ?= source
JOBS ?= 1
CANDIDATES ?= 1 2 4 8
RANKERS ?= align clvp duration
MEASURES ?= mcd,rtf
QUICK_CORPUS ?= --limit 24
QUICK_TEST ?=
# the aligner judges where a word is lost; where a corpus is too small for one, FAULTS= leaves it out
FAULTS ?= --judge $(BUILD)/aligner.h5
FREE ?= $(BUILD)/concatenated.md

.PHONY: all quick
all: $(foreach count,$(CANDIDATES),$(RANKERS:%=$(BUILD)/%-$(count).md)) $(FREE)

# every word is lost in the speech of models of five updates: nothing judges that here
quick:
	$(MAKE) all BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) $(QUICK_CORPUS)' TESTS=2 \
		TEST='$(QUICK_TEST)' CANDIDATES='1 2' RANKERS=clvp ALIGNER_FOR='--steps 60' \
		LENGTH='--steps 5' MEASURES=rtf FAULTS= FREE=$(BUILD)-quick/concatenated.h5

SPEECH = $(BUILD)/train-alignment.h5 $(BUILD)/train-features.h5
CODER = $(BUILD)/codes.h5 $(BUILD)/train-alignment.h5
TEXTS = $(BUILD)/test-tokens.h5

$(BUILD)/duration.h5: $(SPEECH) FORCE
	$(TRAIN) duration $(SPEECH) --preset tiny --set 'predict=["pitch", "loudness"]' \
		$(LENGTH) $(RUN) -o $@

$(BUILD)/codec.h5: $(BUILD)/train-features.h5 FORCE
	$(TRAIN) codec $< --family rvq --set stride=4 --set books=2 $(LENGTH) $(RUN) -o $@

$(BUILD)/codes.h5: $(SPEECH) $(BUILD)/codec.h5 FORCE
	$(TTSKIT) encode $(SPEECH) --codec $(BUILD)/codec.h5 -j $(JOBS) -o $@

$(BUILD)/guided.h5: $(CODER) $(BUILD)/train-features.h5 FORCE
	$(TRAIN) coder $(CODER) $(BUILD)/train-features.h5 --preset tiny --set prosody=true \
		$(LENGTH) $(RUN) -o $@

$(BUILD)/concatenated.h5: $(CODER) FORCE
	$(TRAIN) coder $(CODER) --preset tiny --set order=concatenated $(LENGTH) $(RUN) -o $@

$(BUILD)/clvp.h5: $(CODER) FORCE
	$(TRAIN) ranker $(CODER) $(LENGTH) $(RUN) -o $@

# the states of the coder as it draws all codes itself, which is what the decoder is to live with
$(BUILD)/latents.h5: $(SPEECH) $(BUILD)/codec.h5 $(BUILD)/guided.h5 FORCE
	$(TTSKIT) encode $(SPEECH) --codec $(BUILD)/codec.h5 --coder $(BUILD)/guided.h5 --drawn 1 \
		-j $(JOBS) -o $@

$(BUILD)/decoder.h5: $(BUILD)/latents.h5 $(BUILD)/train-features.h5 FORCE
	$(TRAIN) decoder $(BUILD)/latents.h5 $(BUILD)/train-features.h5 --preset tiny \
		--set source=latents $(BATCHES) $(DECODER) $(LENGTH) $(RUN) -o $@

PARTS = $(BUILD)/duration.h5 $(BUILD)/guided.h5 $(BUILD)/decoder.h5
$(BUILD)/voice.h5: $(PARTS) $(CARD) $(LEXICON) FORCE
	$(TTSKIT) voice pack $(PARTS) $(VOCODER) --card $(CARD) $(LEXICON:%=--lexicon %) -o $@

JUDGES_clvp = --judge $(BUILD)/clvp.h5
$(BUILD)/%.md: $(BUILD)/voice.h5 $(BUILD)/aligner.h5 $(BUILD)/clvp.h5 $(TEXTS) FORCE
	$(TTSKIT) compare $< $(TEXTS) --rank $(word 1,$(subst -, ,$*)) $(FAULTS) \
		$(JUDGES_$(word 1,$(subst -, ,$*))) --candidates $(word 2,$(subst -, ,$*)) --skip-bad \
		--measures $(MEASURES) -j $(JOBS) -o $(BUILD)/$* --markdown > $@.new
	@mv $@.new $@
	cat $@

# all text, then all speech: the aligner says when it spoke which word
FREELY = $(BUILD)/concatenated.h5 $(BUILD)/codec.h5 $(BUILD)/aligner.h5 $(TEXTS)
$(BUILD)/concatenated.md: $(FREELY) FORCE
	$(TTSKIT) compare $(FREELY) $(VOCODER) --candidates 8 --skip-bad --measures $(MEASURES) \
		-j $(JOBS) -o $(BUILD)/concatenated --markdown > $@.new
	@mv $@.new $@
	cat $@
