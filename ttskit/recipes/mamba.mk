# A voice by codes: durations and their confidence, and a coder that refines codes, before a decoder
# of its latents.  A project says what differs, and includes this.
#
# make train      codec, aligner, duration model, coder and decoder, and the voice that they make
# make test       the test set by each number of ITERATIONS, with the scores of each
# make            both
# make analyze    what each training did, as pages
# make quick      all of it with a few utterances and updates, in another folder; the voice is noise
#
# What is set of the recordings, the language and the hours: speech.mk; of the codec, the decoder and
# the batches: codes.mk.  Further
#
# PRESET       of the coder
# CODER        settings of the coder
# ITERATIONS   by which the test set is spoken
# STYLE        of a reference, that the test set is spoken in
include $(dir $(lastword $(MAKEFILE_LIST)))codes.mk

PRESET ?= tiny
CODER ?= --set audio.layers=2 --set audio.state=4 --set text.state=4 \
	--set training.learning_rate=2e-3 --set training.ema=0.98
CODEC_FOR ?= $(call spent,0.21,--minutes 20)
DURATION_FOR ?= $(call spent,0.05,--steps 1000)
CODER_FOR ?= $(call spent,0.42,--minutes 40)
DECODER_FOR ?= $(call spent,0.28,--minutes 25)
ITERATIONS ?= 1 2 4 8 12
MEASURES ?= mcd,f0
STYLE ?=

.PHONY: all pipeline train test analyze quick
all: pipeline
pipeline: train test
train: $(BUILD)/voice.h5
test: $(ITERATIONS:%=$(BUILD)/by-%.scores.h5)
analyze: $(patsubst %,$(BUILD)/%.html,codec aligner duration coder decoder)

quick:
	$(MAKE) pipeline analyze BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) $(QUICK_CORPUS)' TESTS=2 \
		TEST='$(QUICK_TEST)' CODEC_FOR='--steps 10' ALIGNER_FOR='--steps 60' \
		DURATION_FOR='--steps 20' CODER_FOR='--steps 5' DECODER_FOR='--steps 5' ITERATIONS='1 4'

# durations and their confidence, in the style of a reference
$(BUILD)/duration.h5: $(SPEECH) FORCE
	$(TRAIN) duration $(SPEECH) --family film --preset tiny --set reference=true \
		$(DURATION_FOR) $(RUN) -o $@

$(BUILD)/coder.h5: $(CODED) FORCE
	$(TRAIN) coder $(CODED) --family mamba --preset $(PRESET) $(BATCHES) $(CODER) $(CODER_FOR) \
		$(RUN) -o $@

$(BUILD)/by-%.mels.h5: $(BUILD)/test-tokens.h5 $(MODELS) FORCE
	$(TTSKIT) decode $< --duration $(BUILD)/duration.h5 --model $(BUILD)/coder.h5 \
		--decoder $(BUILD)/decoder.h5 --iterations $* $(STYLE:%=--style %) -o $@

$(BUILD)/by-%.spoken.h5: $(BUILD)/by-%.mels.h5 FORCE
	$(TTSKIT) vocode $< --vocoder $(VOCODER) -o $@

$(BUILD)/by-%.scores.h5: $(BUILD)/test-corpus.h5 $(BUILD)/by-%.spoken.h5 FORCE
	$(TTSKIT) evaluate $(wordlist 1,2,$^) --measures $(MEASURES) -o $@

$(BUILD)/%.html: $(BUILD)/%.h5 FORCE
	$(TTSKIT) analyze $< --page $@
